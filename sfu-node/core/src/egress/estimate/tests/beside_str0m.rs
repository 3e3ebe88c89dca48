//! Ours beside str0m, on the same paths.
