//! Where mail to an alias goes: its destinations without those that would come back, and the destination that a server
//! names in a report.

use membermail_core::destination::{DestinationId, is_within};
use membermail_core::email::EmailAddress;

use crate::destinations::Destinations;
use crate::lookups::Lookups;
use crate::protocol::Reply;
use crate::recipient::{Recipient, append_tag, without_tag};
use crate::source::{LookupResult, Query, SourceError};

impl Lookups {
    /// Whether mail to this address would return to this host: it is at a domain of ours, at the host's name or at the
    /// return-path domain, or below one of them.
    pub(crate) fn is_loop(&self, address: &str) -> bool {
        let listed = self.listed.load();
        let listed = match listed.as_deref() {
            Some(LookupResult::Domains(domains)) => domains.as_slice(),
            _ => &[],
        };
        let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
        let mut own = self.own_names.iter().chain(&self.community).chain(listed);
        own.any(|own| is_within(domain, own))
    }

    /// The addresses that mail goes to, as Postfix reads them. None if all of them would come back.
    pub(crate) fn forward(&self, destinations: &Destinations, tag: Option<&str>) -> Option<String> {
        let subaddress_domains = self.subaddress_domains.load();
        let outside = destinations.iter().filter(|(_, address)| !self.is_loop(address));
        let tagged: Vec<_> = outside.map(|(_, address)| append_tag(address, tag, &subaddress_domains)).collect();
        (!tagged.is_empty()).then(|| tagged.join(", "))
    }

    /// The id of the destination that a server names in a report. The key is an address of ours, a blank, and the recipient
    /// of the report.
    pub(crate) async fn destination(&self, key: &str) -> Result<Reply, SourceError> {
        // An address with a blank in its local part is none of ours.
        let Some((address, recipient)) = key.split_once(' ') else { return Ok(Reply::NotFound) };
        let Ok(recipient) = EmailAddress::parse(recipient) else { return Ok(Reply::NotFound) };
        let Some(Recipient::Member { alias, .. }) = self.recipient(address).await? else { return Ok(Reply::NotFound) };
        Ok(match &*self.cache.lookup(&Query::Alias(alias)).await? {
            LookupResult::Forwards(destinations) => self
                .named(destinations, recipient.expose())
                .map_or(Reply::NotFound, |destination| Reply::Ok(destination.to_string())),
            _ => Reply::NotFound,
        })
    }

    /// Servers change the case of a local part. The tag of the mail can be in the report, so it counts last: a destination
    /// can have a tag of its own.
    fn named(&self, destinations: &Destinations, recipient: &str) -> Option<DestinationId> {
        let base = without_tag(recipient, &self.subaddress_domains.load());
        let find = |is_named: &dyn Fn(&str) -> bool| {
            destinations.iter().find(|(_, address)| is_named(address)).map(|(destination, _)| destination)
        };
        find(&|address| address == recipient)
            .or_else(|| find(&|address| address.eq_ignore_ascii_case(recipient)))
            .or_else(|| find(&|address| address.eq_ignore_ascii_case(&base)))
    }
}
