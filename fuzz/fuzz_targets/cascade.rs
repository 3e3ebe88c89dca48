//! The fuzzer's side of [`fuzz::cascade`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cascade(data));
