//! The fuzzer's side of [`fuzz::bindings`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bindings(data));
