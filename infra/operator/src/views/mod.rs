//! Views that several commands share. They depend on no command.

pub(crate) mod alias;
pub(crate) mod audit;
#[cfg(test)]
pub(crate) mod tests;
