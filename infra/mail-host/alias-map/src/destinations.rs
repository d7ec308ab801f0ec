//! The destinations of an alias, as the cache holds them.

use std::fmt;

use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use zeroize::Zeroizing;

/// One to five destinations with their ids. All addresses are in one text: a cache of many aliases consists mostly of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Destinations {
    ids: Box<[DestinationId]>,
    /// The addresses in the order of the ids, separated by line feeds, which no address contains.
    addresses: Zeroizing<Box<str>>,
}

impl Destinations {
    /// The destinations in this order. None if there is no destination.
    pub fn new(all: &[(DestinationId, EmailAddress)]) -> Option<Self> {
        if all.is_empty() {
            return None;
        }
        let octets = all.iter().map(|(_, address)| address.expose().len() + 1).sum::<usize>() - 1;
        // The exact capacity, so that no copy is left behind.
        let mut addresses = String::with_capacity(octets);
        for (index, (_, address)) in all.iter().enumerate() {
            if index > 0 {
                addresses.push('\n');
            }
            addresses.push_str(address.expose());
        }
        let ids = all.iter().map(|(id, _)| *id).collect();
        Some(Self { ids, addresses: Zeroizing::new(addresses.into_boxed_str()) })
    }

    /// The ids and addresses.
    pub fn iter(&self) -> impl Iterator<Item = (DestinationId, &str)> {
        self.ids.iter().copied().zip(self.addresses.split('\n'))
    }

    /// Bytes on the heap, for the bound of the cache.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.ids) + self.addresses.len()
    }
}

impl fmt::Debug for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;
    use proptest::prelude::*;

    use super::*;

    fn destination(address: &str) -> Option<(DestinationId, EmailAddress)> {
        let id = DestinationId::new("2026-11-29T06:00:00Z".parse().unwrap(), &CountingRandom::default());
        EmailAddress::parse(address).ok().map(|address| (id, address))
    }

    #[test]
    fn no_destination_is_none() {
        assert_eq!(Destinations::new(&[]), None);
    }

    #[test]
    fn debug_shows_no_address() {
        let all = [destination("alice@mail.example").unwrap()];
        let text = format!("{:?}", Destinations::new(&all).unwrap());
        assert_eq!(text, format!("[{:?}]", all[0].0));
    }

    proptest! {
        /// Also with quoted local parts, which can contain commas and blanks.
        #[test]
        fn any_destinations_are_kept(texts in prop::collection::vec("(\"[ -~\t\r\n]{0,8}\"|[a-z+.]{1,8})@(mail|b.mail).example", 1..6)) {
            let all: Vec<_> = texts.iter().filter_map(|text| destination(text)).collect();
            let kept = Destinations::new(&all);
            let kept: Vec<_> = kept.iter().flat_map(Destinations::iter).collect();
            let expected: Vec<_> = all.iter().map(|(id, address)| (*id, address.expose())).collect();
            prop_assert_eq!(kept, expected);
        }
    }
}
