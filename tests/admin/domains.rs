//! An admin verifies a domain with the record that its page shows.
