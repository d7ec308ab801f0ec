//! Processes the bounces of forwarded mail, those of this host and those that other servers send to the return path.
//!
//! A bounce names the destination of a member, the other server and its words. The sender may know none of that, so
//! nothing of a bounce is passed on but status codes: the sender gets a report that is written anew and names only the
//! address that they wrote to.

pub mod address;
pub mod bounce;
pub mod decision;
pub mod failures;
pub mod maps;
pub mod process;
pub mod report;
pub mod returned;
pub mod settings;
pub mod status;
pub mod submission;
#[cfg(test)]
mod testing;
