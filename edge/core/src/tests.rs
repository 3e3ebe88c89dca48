//! Tests of what several tables make together.

mod openapi;
