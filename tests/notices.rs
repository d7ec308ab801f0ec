//! Who is told what by mail: once, in their language, whatever comes twice, is lost, or is refused for a while.

#[path = "notices/admins.rs"]
mod notices_admins;
#[path = "notices/members.rs"]
mod notices_members;
#[path = "notices/operators.rs"]
mod notices_operators;
#[path = "notices/refused.rs"]
mod notices_refused;
#[path = "notices/world.rs"]
mod world;
