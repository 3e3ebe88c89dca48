//! The fuzzer's side of [`fuzz::estimator`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::estimator(data));
