//! A table in memory that can be made to fail, and a server over it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::server::{Listener, Server};
use membermail_alias_map::settings::{Patience, Settings};
use membermail_alias_map::source::{Answer, Question, Source, SourceError};
use membermail_core::address::DomainName;
use membermail_core::email::EmailAddress;

/// Forwards every address of `ubuntu.com` that is in it.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) asked: AtomicUsize,
    pub(crate) fails: AtomicBool,
    pub(crate) hangs: AtomicBool,
    /// Whether what is sealed stays shut.
    pub(crate) sealed: AtomicBool,
    pub(crate) slow: Duration,
    pub(crate) aliases: std::sync::Mutex<HashMap<String, Answer>>,
    /// Domains of the table that the community file need not have.
    pub(crate) listed: std::sync::Mutex<Vec<DomainName>>,
}

impl Memory {
    pub(crate) fn put(&self, address: &str, destination: &str) {
        self.put_answer(address, Answer::Forwards(EmailAddress::parse(destination).unwrap()));
    }

    pub(crate) fn put_answer(&self, address: &str, answer: Answer) {
        self.aliases.lock().unwrap().insert(address.to_owned(), answer);
    }

    pub(crate) fn list(&self, domain: &str) {
        self.listed.lock().unwrap().push(domain.parse().unwrap());
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[async_trait]
impl Source for Memory {
    async fn answer(&self, question: &Question) -> Result<Answer, SourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.slow).await;
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(SourceError::Unreachable("a test".to_owned()));
        }
        Ok(match question {
            Question::Alias(address) => match self.aliases.lock().unwrap().get(&address.to_string()).cloned() {
                Some(Answer::Forwards(_)) if self.sealed.load(Ordering::SeqCst) => {
                    return Err(SourceError::Secret("a test".to_owned()));
                }
                answer => answer.unwrap_or(Answer::Nothing),
            },
            Question::Domain(domain) if domain.as_str() == "ubuntu.com" => Answer::Verified,
            Question::Domain(domain) if self.listed.lock().unwrap().contains(domain) => Answer::Verified,
            Question::Domain(_) => Answer::Nothing,
            Question::Domains => Answer::Domains(self.listed.lock().unwrap().clone()),
            Question::Admins(domain) if domain.as_str() == "kubuntu.org" => Answer::Nothing,
            Question::Admins(_) => Answer::Admins(vec![
                EmailAddress::parse("one@ops.example").unwrap(),
                // An admin who signs in with an address of the community reads it elsewhere or not at all.
                EmailAddress::parse("two@kubuntu.org").unwrap(),
                EmailAddress::parse("three@ops.example").unwrap(),
            ]),
        })
    }
}

pub(crate) fn settings(patience: Patience) -> Settings {
    let text = "community = \"ubuntu\"\ntable = \"t\"\nmaster-secret-file = \"/none\"\nlisten = [\"inet:127.0.0.1:0\"]\n\
                operators = \"operators@ops.example\"";
    Settings { patience, ..Settings::parse(text).unwrap() }
}

pub(crate) fn lookups(memory: Arc<Memory>, patience: Patience) -> Lookups {
    let community = ["ubuntu.com", "kubuntu.org"].map(|name| DomainName::parse(name).unwrap()).to_vec();
    Lookups::new(memory, community, &settings(patience))
}

/// A server on a port of its own.
pub(crate) async fn server(memory: Arc<Memory>, connections: usize) -> (Server, Endpoint) {
    let server = Server::new(Arc::new(lookups(memory, Patience::default())), connections);
    let listener = Listener::bind(&"inet:127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = listener.endpoint().unwrap();
    server.listen(listener);
    (server, endpoint)
}
