//! Notices by mail: each once, in the recipient's language, despite duplicates, lost messages and temporary refusals.

mod admins;
mod members;
mod operators;
mod refused;
mod self_service;
mod world;
