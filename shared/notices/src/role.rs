//! Notices to members about what they may do as admins.

use membermail_core::address::DomainName;
use membermail_core::admin::Permissions;
use membermail_core::member::PersonName;
use membermail_core::notice::RoleNews;
use membermail_texts::Translator;

use crate::Site;
use crate::content::{Content, Labeled};
use crate::member::{content, site_args};

/// The permissions of a member in a domain changed.
#[derive(Clone, Debug)]
pub struct RoleNotice {
    /// Their name at the membership source.
    pub name: Option<PersonName>,
    /// The domain.
    pub domain: DomainName,
    /// What changed.
    pub news: RoleNews,
}

impl RoleNotice {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let Self { name, domain, news } = self;
        let mut args = site_args(site).to_vec();
        args.push(("domain", domain.as_str().into()));
        let (id, permissions) = match news {
            RoleNews::Appointed(permissions) => ("role-appointed", *permissions),
            RoleNews::Changed(permissions) => ("role-changed", *permissions),
            // The footer and the button of a member without a role.
            RoleNews::Removed => return content("role-removed", &args, name.as_ref(), translator, site),
        };
        Content {
            rows: rows(permissions, translator),
            button: Some(Labeled::new(translator.text("role-console", &[]), site.console(domain, ""))),
            footer: vec![translator.text("footer-admin", &args)],
            ..content(id, &args, name.as_ref(), translator, site)
        }
    }
}

/// Each permission with what it allows.
fn rows(permissions: Permissions, translator: Translator<'_>) -> Vec<Labeled> {
    let row = |permission| {
        let id = format!("role-{permission}");
        Labeled::new(translator.text(&id, &[]), translator.attribute(&id, "allows", &[]))
    };
    permissions.iter().map(row).collect()
}
