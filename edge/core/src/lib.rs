//! The rules of the control plane.
