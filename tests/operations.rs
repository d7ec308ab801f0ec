//! The runbook, `docs/operations.md`, typed as it stands: each symptom is brought about on a stack of the story's own, the
//! page's commands are run by a shell, and the symptom is gone.

#[path = "operations/runbook.rs"]
mod runbook;
#[path = "operations/symptoms.rs"]
mod symptoms;
#[path = "operations/world.rs"]
mod world;

use anyhow::{Result, ensure};

use crate::runbook::Runbook;
use crate::world::World;

#[tokio::test]
async fn the_runbook_heals_every_symptom_that_it_names() -> Result<()> {
    let world = World::deploy().await?;
    let mut shell = Runbook::read()?.shell(&world)?;
    symptoms::mails_do_not_go(&world, &mut shell).await?;
    symptoms::launchpad_is_down(&world, &mut shell).await?;
    symptoms::a_plan_is_held(&world, &mut shell).await?;
    symptoms::dead_letters(&world, &mut shell).await?;
    symptoms::the_master_secret_is_changed(&world, &mut shell).await?;
    symptoms::a_domain_is_retired(&world, &mut shell).await?;
    symptoms::the_table_is_restored(&world, &mut shell).await?;
    let untyped = shell.untyped();
    ensure!(untyped.is_empty(), "the runbook has commands that nobody has typed: {untyped:?}");
    world.delete().await
}
