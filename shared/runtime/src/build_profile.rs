//! The build profile, readable from the binary: the development tool refuses to deploy a debug build.

/// Contained in functions with debug assertions.
pub const DEBUG: &str = "membermail-build-profile=debug;";
/// Contained in functions without debug assertions.
pub const RELEASE: &str = "membermail-build-profile=release;";

/// Keeps the marker in the binary, even after link-time optimization and stripping.
pub(crate) fn embed() {
    std::hint::black_box(if cfg!(debug_assertions) { DEBUG } else { RELEASE });
}
