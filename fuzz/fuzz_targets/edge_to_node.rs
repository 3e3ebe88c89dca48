//! The fuzzer's side of [`fuzz::edge_to_node`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::edge_to_node(data));
