//! Which request is whose, by the paths and methods of the deployed REST API.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axum::http::Method;
use matchit::Router;

/// Paths with the function of each method.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    paths: Router<BTreeMap<String, String>>,
}

impl Routes {
    /// From `(path, method, function)`, in API Gateway's words: `{name}` is one segment, `{name+}` the rest, `ANY`
    /// every method.
    pub(crate) fn new(all: impl IntoIterator<Item = (String, String, String)>) -> Result<Self> {
        let mut by_path: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, method, function) in all {
            by_path.entry(path).or_default().insert(method, function);
        }
        let mut paths = Router::new();
        for (path, methods) in by_path {
            let segments = path.split('/').map(|segment| match segment.strip_suffix("+}") {
                Some(name) => format!("{{*{}}}", name.trim_start_matches('{')),
                None => segment.to_owned(),
            });
            let segments: Vec<_> = segments.collect();
            paths.insert(segments.join("/"), methods).with_context(|| format!("the path {path}"))?;
        }
        Ok(Self { paths })
    }

    /// The function that answers this request.
    pub(crate) fn function(&self, method: &Method, path: &str) -> Option<&str> {
        let methods = self.paths.at(path).ok()?.value;
        methods.get(method.as_str()).or_else(|| methods.get("ANY")).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_find_their_function_as_at_api_gateway() {
        let routes = [
            ("/", "GET", "account"),
            ("/assets/{file}", "GET", "account"),
            ("/callback", "GET", "sso"),
            ("/callback", "POST", "sso"),
            ("/docs/{rest+}", "ANY", "docs"),
        ];
        let routes = routes.map(|(path, method, name)| (path.to_owned(), method.to_owned(), name.to_owned()));
        let routes = Routes::new(routes).unwrap();
        for (method, path, function) in [
            (Method::GET, "/", Some("account")),
            (Method::GET, "/assets/style.css", Some("account")),
            (Method::GET, "/assets/one/two", None),
            (Method::POST, "/callback", Some("sso")),
            (Method::PUT, "/callback", None),
            (Method::DELETE, "/docs/one/two", Some("docs")),
            (Method::GET, "/nowhere", None),
        ] {
            assert_eq!(routes.function(&method, path), function, "{method} {path}");
        }
    }
}
