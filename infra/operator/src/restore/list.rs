//! Parses a file of addresses, from the log of a mail host or from an audit export.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::reserved::is_reserved;
use serde::Serialize;

use crate::failure::Failure;

/// The distinct addresses of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) addresses: Vec<Address>,
    pub(super) skipped: Skipped,
}

/// The numbers of skipped lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Skipped {
    /// Addresses at other domains.
    pub(super) foreign: u64,
    /// Reserved addresses, such as `postmaster`.
    pub(super) reserved: u64,
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(file: &Path, domains: &[DomainName]) -> Result<List, Failure> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|cause| Failure::Usage(format!("cannot read {}: {cause}", file.display())))?;
    parse(&text, domains).map_err(|line| {
        Failure::Usage(format!("line {line} of {} is not an e-mail address; nothing was changed", file.display()))
    })
}

/// Parses the addresses, in any case and without their tags. The error is the number of the first invalid line.
fn parse(text: &str, domains: &[DomainName]) -> Result<List, usize> {
    let mut addresses = BTreeSet::new();
    let mut skipped = Skipped::default();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix('<').and_then(|line| line.strip_suffix('>')).unwrap_or(line);
        let (local, domain) = line.rsplit_once('@').ok_or(number)?;
        let domain = DomainName::parse(&domain.to_ascii_lowercase()).map_err(|_| number)?;
        if !domains.contains(&domain) {
            skipped.foreign += 1;
            continue;
        }
        let base = local.split_once('+').map_or(local, |(base, _)| base).to_ascii_lowercase();
        if is_reserved(&base) {
            skipped.reserved += 1;
            continue;
        }
        let local_part = LocalPart::parse(&base).map_err(|_| number)?;
        addresses.insert(Address { local_part, domain });
    }
    Ok(List { addresses: addresses.into_iter().collect(), skipped })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains() -> Vec<DomainName> {
        ["ubuntu.com", "kubuntu.org"].map(|name| name.parse().unwrap()).to_vec()
    }

    #[test]
    fn each_address_is_listed_once() {
        let text = "# from the log\n\nbob@ubuntu.com\n  Bob@Ubuntu.COM \n<bob+news@ubuntu.com>\r\nann@kubuntu.org\n\
                    postmaster@ubuntu.com\ncarol@example.org\n";
        let list = parse(text, &domains()).unwrap();
        let addresses: Vec<_> = list.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses.len(), 2, "{addresses:?}");
        assert!(addresses.contains(&"bob@ubuntu.com".to_owned()) && addresses.contains(&"ann@kubuntu.org".to_owned()));
        assert_eq!(list.skipped, Skipped { foreign: 1, reserved: 1 });
    }

    #[rstest::rstest]
    #[case::no_at("bob@ubuntu.com\nbob", 2)]
    #[case::no_domain("bob@", 1)]
    #[case::no_local_part("\n@ubuntu.com", 2)]
    #[case::columns("bob@ubuntu.com active", 1)]
    fn invalid_line_is_reported(#[case] text: &str, #[case] line: usize) {
        assert_eq!(parse(text, &domains()), Err(line));
    }
}
