//! The media node.

fn main() {}
