//! The proxy variables of the environment, from the snapshot that was taken when the executor was created.

use super::origin::Origin;
use crate::runtime::environment::Environment;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use std::sync::Arc;

/// Metadata services are on the machine itself, where no proxy leads to.
const NEVER_PROXIED: &str = "169.254.0.0/16,fd00:ec2::/32";

/// The proxy of each scheme, and the hosts that are reached without.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Option<Arc<Matcher>>);

impl Proxies {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// As curl reads them: `HTTPS_PROXY` and `HTTP_PROXY`, or else `ALL_PROXY`, and `NO_PROXY`; each also in small letters.
    pub(super) fn of(environment: &Environment) -> Self {
        // A CGI program's HTTP_PROXY is a header of its client's request.
        if environment.text("REQUEST_METHOD").is_some() {
            return Self::none();
        }
        let rules = match given(environment, "NO_PROXY") {
            Some((_, rules)) => format!("{rules},{NEVER_PROXIED}"),
            None => NEVER_PROXIED.to_owned(),
        };
        let [https, http] = ["HTTPS_PROXY", "HTTP_PROXY"].map(|name| url(chosen(environment, name)));
        Self(Some(Arc::new(Matcher::builder().https(https).http(http).no(rules).build())))
    }

    /// The proxy that leads to an address, if one does.
    pub(super) fn of_address(&self, address: &Uri) -> Option<Intercept> {
        self.0.as_ref()?.intercept(address)
    }
}

/// Name and value of a variable that is set and not empty.
fn given(environment: &Environment, name: &str) -> Option<(String, String)> {
    [name.to_owned(), name.to_ascii_lowercase()].into_iter().find_map(|name| {
        let value = environment.text(&name).filter(|value| !value.trim().is_empty())?.trim().to_owned();
        Some((name, value))
    })
}

fn chosen(environment: &Environment, name: &str) -> Option<(String, String)> {
    given(environment, name).or_else(|| given(environment, "ALL_PROXY"))
}

/// The URL of a proxy; empty without one, and where the variable's value cannot be used.
fn url(proxy: Option<(String, String)>) -> String {
    let Some((name, value)) = proxy else { return String::new() };
    let url = if value.contains("://") { value } else { format!("http://{value}") };
    let is_server = |uri: Uri| matches!(uri.scheme_str(), Some("http" | "https")) && Origin::of(&uri).is_ok();
    if !url.parse().is_ok_and(is_server) {
        // Without the value, which may hold a password.
        tracing::warn!("{name} is ignored: it is not the URL of an HTTP proxy (http://host:port)");
        return String::new();
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy that leads to a URL.
    fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::of(&Environment::of(variables.iter().copied()));
        proxies.of_address(&url.parse().unwrap()).map(|proxy| proxy.uri().to_string())
    }

    #[test]
    fn the_variable_of_the_scheme_wins_over_that_of_all() {
        let variables = [("ALL_PROXY", "http://a:1"), ("https_proxy", "b:2")];
        assert_eq!(proxy(&variables, "https://example.com/").as_deref(), Some("http://b:2/"));
        assert_eq!(proxy(&variables, "http://example.com/").as_deref(), Some("http://a:1/"));
        let all = [("all_proxy", "http://a:1")];
        assert_eq!(proxy(&all, "https://example.com/").as_deref(), Some("http://a:1/"));
    }

    #[test]
    fn hosts_of_no_proxy_and_metadata_services_are_never_proxied() {
        let variables = [("ALL_PROXY", "http://a:1"), ("NO_PROXY", "example.com")];
        // EC2, ECS, EKS, and the same over IPv6.
        for host in ["169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]"] {
            assert_eq!(proxy(&variables, &format!("http://{host}/")), None, "{host}");
            assert_eq!(proxy(&variables[..1], &format!("http://{host}/")), None, "{host}");
        }
        assert_eq!(proxy(&variables, "https://example.com/"), None);
        assert!(proxy(&variables[..1], "https://example.com/").is_some());
    }

    #[test]
    fn what_is_not_a_proxy_is_ignored() {
        for variables in [
            &[][..],
            &[("HTTPS_PROXY", " ")],
            &[("HTTPS_PROXY", "socks5://a:1")],
            &[("HTTPS_PROXY", "http://")],
            &[("HTTPS_PROXY", "http://a:99999")],
            &[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://a:1"), ("HTTPS_PROXY", "http://a:1")],
        ] {
            for url in ["https://example.com/", "http://example.com/"] {
                assert_eq!(proxy(variables, url), None, "{variables:?}");
            }
        }
    }
}
