//! The program `cargo dev`, and the documents that describe this repository.

mod architecture;
mod builds;
mod deploy;
mod documents;
mod emulator;
mod releases;
mod up;
mod workflows;
