//! The fuzzer's side of [`fuzz::rtp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::rtp(data));
