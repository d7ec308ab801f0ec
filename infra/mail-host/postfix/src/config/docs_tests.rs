//! docs/mail.md explains every line of the rendered configuration.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::tests::{docs_example, domains};
use super::*;

/// The services of Postfix's own master.cf.
const DEFAULT_SERVICES: &str = "smtpd pickup cleanup qmgr tlsmgr rewrite bounce defer trace verify flush proxymap \
                                proxywrite smtp relay showq error retry discard local virtual lmtp anvil scache postlog";

/// Postfix's and rspamd's configuration, as text.
#[derive(Default)]
struct Rendered {
    main: String,
    master: String,
    smtpd: String,
    rspamd: String,
}

impl Rendered {
    fn of(host: &MailHost) -> Self {
        Self {
            main: host.main_cf().unwrap(),
            master: host.master_cf().unwrap(),
            smtpd: host.smtpd_conf().unwrap().unwrap_or_default(),
            rspamd: host.rspamd_conf(&domains()).unwrap().unwrap_or_default(),
        }
    }

    /// The names of all parameters, options, services and settings.
    fn names(&self) -> BTreeSet<String> {
        let lists = [parameters(&self.main), master(&self.master), sasl(&self.smtpd), signer(&self.rspamd)];
        lists.concat().into_iter().map(str::to_owned).collect()
    }
}

/// Lines without comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'))
}

/// The parameters of main.cf; their values can continue in indented lines.
fn parameters(main: &str) -> Vec<&str> {
    lines(main).filter(|line| !line.starts_with(' ')).filter_map(|line| Some(line.split_once('=')?.0.trim())).collect()
}

/// The options in master.cf, those of pipe(8) included, and the services that are not Postfix's own.
fn master(master: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for line in lines(master) {
        match line.strip_prefix(' ') {
            Some(rest) => {
                // Neither `-o` itself nor an argument of a program.
                let words = rest.split_whitespace().filter(|word| !word.starts_with('-'));
                names.extend(words.filter_map(|word| Some(word.split_once('=')?.0)));
            }
            None => {
                let service = line.split_whitespace().next().unwrap();
                let command = line.split_whitespace().nth(7).unwrap();
                let is_default = DEFAULT_SERVICES.split(' ').any(|name| name == service);
                // smtpd's service is named by its port.
                let is_port = command == "smtpd" && service.trim_matches(|c: char| c.is_ascii_digit()).is_empty();
                if !is_default && !is_port && service != "submission" {
                    names.push(service);
                }
            }
        }
    }
    names
}

/// The options of Cyrus SASL's smtpd.conf.
fn sasl(smtpd: &str) -> Vec<&str> {
    lines(smtpd).filter_map(|line| Some(line.split_once(':')?.0)).collect()
}

/// The settings and sections of rspamd.conf; a line can contain several.
fn signer(rspamd: &str) -> Vec<&str> {
    let parts = lines(rspamd).flat_map(|line| line.split([';', '{', '}'])).map(str::trim);
    let names = parts.filter_map(|part| part.split([' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('"')).collect()
}

/// The words of docs/mail.md that are set as code, from "Postfix, line by line" to the next heading of that level.
fn explained() -> BTreeSet<String> {
    let docs = include_str!("../../../../../docs/mail.md");
    let mut words = BTreeSet::new();
    let mut title = None;
    let mut in_section = false;
    for event in Parser::new_ext(docs, pulldown_cmark::Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => title = Some(String::new()),
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => {
                in_section = title.take().as_deref() == Some("Postfix, line by line");
            }
            Event::Text(text) if title.is_some() => title.as_mut().unwrap().push_str(&text),
            Event::Code(code) if in_section => {
                let parts = code.split(|c: char| !(c.is_ascii_alphanumeric() || "_*-".contains(c)));
                words.extend(parts.map(str::to_owned));
                // Such as the address and port of a service.
                words.insert(code.into_string());
            }
            _ => {}
        }
    }
    assert!(words.len() > 50, "{words:?}");
    words
}

/// Whether a word is the name, or a pattern such as `smtpd_*_restrictions` that matches it.
fn is_explained(name: &str, words: &BTreeSet<String>) -> bool {
    let mut patterns = words.iter().filter_map(|word| word.split_once('*'));
    words.contains(name)
        || patterns.any(|(start, end)| start.len() > 6 && name.starts_with(start) && name.ends_with(end))
}

/// The names that docs/mail.md does not explain.
fn unexplained(names: &BTreeSet<String>) -> Vec<&str> {
    let words = explained();
    names.iter().map(String::as_str).filter(|name| !is_explained(name, &words)).collect()
}

#[rstest::rstest]
#[case::docs_example(docs_example())]
#[case::dnssec(MailHost { dnssec: true, ..docs_example() })]
#[case::no_login(MailHost { login: None, ..docs_example() })]
fn docs_explain_every_line(#[case] host: MailHost) {
    let names = Rendered::of(&host).names();
    let missing = unexplained(&names);
    assert!(missing.is_empty(), "docs/mail.md does not explain {missing:?}");
}

#[rstest::rstest]
#[case::parameter("main", "made_up_limit = 5\n  more = yes\n", &["made_up_limit"])]
#[case::option("master", "cleanup unix n - n - 0 cleanup\n    -o made_up_maps=\n", &["made_up_maps"])]
#[case::service("master", "made-up unix n - n - - smtp\n", &["made-up"])]
#[case::default_service("master", "2525 inet n - n - - smtpd\nsmtp unix n - n - - smtp\n", &[])]
#[case::other_smtpd("master", "127.0.0.9:2525 inet n - n - - smtpd\n", &["127.0.0.9:2525"])]
#[case::pipe("master", "retry unix - n n - - pipe\n    made_up=q made_up_argv=/bin/sh --x=y\n", &["made_up", "made_up_argv"])]
#[case::sasl("smtpd", "made_up_list: A\n", &["made_up_list"])]
#[case::signer("rspamd", "# made: up\nMADE_UP { \"a.example\" { selector = \"x\"; made_up2 = 1; } }\n", &["MADE_UP", "made_up2"])]
fn unexplained_line_is_reported(#[case] file: &str, #[case] text: &str, #[case] expected: &[&str]) {
    let mut rendered = Rendered::default();
    match file {
        "main" => rendered.main = text.to_owned(),
        "master" => rendered.master = text.to_owned(),
        "smtpd" => rendered.smtpd = text.to_owned(),
        _ => rendered.rspamd = text.to_owned(),
    }
    assert_eq!(unexplained(&rendered.names()), expected);
}
