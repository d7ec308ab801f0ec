//! Links in the Markdown files of the repository: relative paths exist, anchors name a heading, and references are
//! defined. Other sites are not contacted.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::{step, workspace};
use pulldown_cmark::{BrokenLink, CowStr, Event, Options, Parser, Tag, TagEnd};

/// The links and anchors of one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    links: Vec<String>,
    anchors: HashSet<String>,
    /// Labels in `[text][label]` without a definition.
    undefined: Vec<String>,
}

/// Fails with every link that does not resolve.
pub(crate) fn check() -> Result<()> {
    let root = workspace();
    let mut git = Command::new("git");
    git.current_dir(&root).args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]);
    let listed = step::capture(&mut git)?;
    let mut pages = HashMap::new();
    // A file that was deleted but not committed is still listed.
    for name in listed.lines().filter(|name| root.join(name).is_file()) {
        let text = fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))?;
        pages.insert(PathBuf::from(name), read(&text));
    }
    let broken = broken(&pages, |path| root.join(path).exists());
    ensure!(broken.is_empty(), "links that do not resolve:\n{}", broken.join("\n"));
    Ok(())
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut undefined = Vec::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH;
    let parser = Parser::new_with_broken_link_callback(
        text,
        options,
        Some(|link: BrokenLink<'_>| {
            // `[text]` alone is text; `[text][label]` is meant as a link.
            if matches!(link.link_type, pulldown_cmark::LinkType::Reference) {
                undefined.push(link.reference.to_string());
            }
            None::<(CowStr<'_>, CowStr<'_>)>
        }),
    );
    let mut heading = None;
    for event in parser {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let numbered = (1..).map(|number| format!("{slug}-{number}"));
                let free = std::iter::once(slug.clone()).chain(numbered).find(|one| !page.anchors.contains(one));
                page.anchors.extend(free);
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            _ => {}
        }
    }
    page.undefined = undefined;
    page
}

/// The anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn broken(pages: &HashMap<PathBuf, Page>, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, page) in pages {
        for link in page.links.iter().filter(|link| !is_external(link)) {
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { Some(name.clone()) } else { resolve(name, path) };
            let found = target.is_some_and(|target| match (anchor, pages.get(&target)) {
                (Some(anchor), Some(page)) => page.anchors.contains(anchor),
                (_, Some(_)) => true,
                (_, None) => exists(&target),
            });
            if !found {
                broken.push(format!("{}: {link}", name.display()));
            }
        }
        broken.extend(page.undefined.iter().map(|label| format!("{}: [{label}] is not defined", name.display())));
    }
    broken.sort_unstable();
    broken
}

/// Whether a link has a scheme (RFC 3986) or names a host.
fn is_external(link: &str) -> bool {
    let scheme = link.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    });
    scheme || link.starts_with("//")
}

/// The path relative to the root of the repository; `None` for one outside of it.
fn resolve(from: &Path, path: &str) -> Option<PathBuf> {
    let folder = from.parent().unwrap_or(Path::new(""));
    let path = path.strip_prefix('/').map_or_else(|| folder.join(path), PathBuf::from);
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => resolved.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !resolved.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken_in(files: &[(&str, &str)]) -> Vec<String> {
        let pages = files.iter().map(|(name, text)| (PathBuf::from(name), read(text))).collect();
        broken(&pages, |path| path == Path::new("template.yaml"))
    }

    #[test]
    fn links_that_resolve_pass() {
        let guide = "# The guide\n\n## `cargo dev`: a tool\n\n## Twice\n\n## Twice\n\n[up](../README.md) [back][top]\n\n[top]: #the-guide";
        let readme = "[guide](docs/guide.md#cargo-dev-a-tool) [twice](docs/guide.md#twice-1) [code](template.yaml) \
                      [site](https://example.org/#x) <mailto:a@example.org> `[no](link.md)` [note]\n\n```\n[no](link.md)\n```";
        assert_eq!(broken_in(&[("docs/guide.md", guide), ("README.md", readme)]), Vec::<String>::new());
    }

    #[rstest::rstest]
    #[case::missing_file("[a](missing.md)", "README.md: missing.md")]
    #[case::missing_image("![a](missing.png)", "README.md: missing.png")]
    #[case::missing_anchor("# One\n\n[a](#two)", "README.md: #two")]
    #[case::outside_the_repository("[a](../template.yaml)", "README.md: ../template.yaml")]
    #[case::undefined_reference("[a][b]", "README.md: [b] is not defined")]
    fn broken_link_is_reported(#[case] text: &str, #[case] message: &str) {
        assert_eq!(broken_in(&[("README.md", text)]), [message]);
    }
}
