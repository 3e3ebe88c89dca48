//! The fuzzer's side of [`fuzz::rtcp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::rtcp(data));
