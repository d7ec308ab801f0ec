//! The pages and forms about the syncs of a domain.

pub(crate) mod decision;
pub(crate) mod dry_run;
pub(crate) mod list;
pub(crate) mod run;
pub(crate) mod sync;

use membermail_core::lifecycle::Step;
use membermail_pages::admin::plans::steps::Steps;
use ulid::Ulid;

use crate::access::Admin;
use crate::error::Error;

/// The page of a list of steps that the URL asks for, from 0; none if the parameter is no page number.
fn step_page(admin: &Admin<'_>) -> Option<usize> {
    match admin.parameter("page") {
        Some(page) => page.parse::<usize>().ok()?.checked_sub(1),
        None => Some(0),
    }
}

/// A page of the steps of a run or a dry run; none if it has no such page. `compares` also reads the addresses as they are now.
async fn load_steps(admin: &Admin<'_>, id: Ulid, page: usize, compares: bool) -> Result<Option<Steps>, Error> {
    let store = &admin.visit.context.store;
    let wording = admin.visit.site.wording;
    let Some(found) = store.step_page(&admin.domain.domain, id, page).await? else {
        return Ok((page == 0).then(Steps::default));
    };
    let steps: &[Step] = &found.steps;
    let aliases = store.aliases_of_steps(steps).await?;
    Ok(Some(Steps::new(steps, page, found.last, &aliases, compares, wording)))
}
