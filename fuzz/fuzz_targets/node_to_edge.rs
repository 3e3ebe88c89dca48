//! The fuzzer's side of [`fuzz::node_to_edge`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::node_to_edge(data));
