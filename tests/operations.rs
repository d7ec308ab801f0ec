//! Tests the runbook, `docs/operations.md`: causes each symptom on a separate stack, runs the commands of the page in a shell,
//! and checks that the symptom is gone.

mod runbook;
mod symptoms;
mod world;

use anyhow::{Result, ensure};

use self::runbook::Runbook;
use self::world::World;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn runbook_resolves_every_symptom() -> Result<()> {
    let world = World::deploy().await?;
    let mut shell = Runbook::read()?.shell(&world)?;
    symptoms::mail_relay_is_unreachable(&world, &mut shell).await?;
    symptoms::launchpad_is_down(&world, &mut shell).await?;
    symptoms::plan_is_held(&world, &mut shell).await?;
    symptoms::dead_letters_remain(&world, &mut shell).await?;
    symptoms::master_secret_is_rotated(&world, &mut shell).await?;
    symptoms::domain_is_retired(&world, &mut shell).await?;
    symptoms::table_is_restored(&world, &mut shell).await?;
    let unused_blocks = shell.unused_blocks();
    ensure!(unused_blocks.is_empty(), "the runbook has untested commands: {unused_blocks:?}");
    world.delete().await
}
