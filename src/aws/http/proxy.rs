//! The proxy variables of the environment. The SDK reads them by itself, but from the process, at times of its own, and
//! not for a client with a CA bundle; here they come from the snapshot that was taken when the executor was created.

use crate::runtime::environment::Environment;
use aws_smithy_http_client::proxy::ProxyConfig;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use std::sync::Arc;

/// Metadata services are on the machine itself, where no proxy leads to.
const NEVER_PROXIED: &str = "169.254.0.0/16,fd00:ec2::/32";

/// The proxy of each scheme.
#[derive(Clone, Debug)]
pub(in crate::aws) struct Proxies {
    pub(super) https: ProxyConfig,
    pub(super) http: ProxyConfig,
    /// True if the two differ.
    pub(super) differ: bool,
    /// The same for connections that are not the SDK's.
    matcher: Option<Arc<Matcher>>,
}

impl Proxies {
    pub(super) fn none() -> Self {
        Self { https: ProxyConfig::disabled(), http: ProxyConfig::disabled(), differ: false, matcher: None }
    }

    /// As curl reads them: `HTTPS_PROXY` and `HTTP_PROXY`, or else `ALL_PROXY`, and `NO_PROXY`; each also in small letters.
    pub(super) fn of(environment: &Environment) -> Self {
        // A CGI program's HTTP_PROXY is a header of its client's request.
        if environment.text("REQUEST_METHOD").is_some() {
            return Self::none();
        }
        let (https, http) = (chosen(environment, "HTTPS_PROXY"), chosen(environment, "HTTP_PROXY"));
        let rules = match given(environment, "NO_PROXY") {
            Some((_, rules)) => format!("{rules},{NEVER_PROXIED}"),
            None => NEVER_PROXIED.to_owned(),
        };
        let (https_url, http_url) = (url(https.as_ref()), url(http.as_ref()));
        let matcher = Matcher::builder().https(https_url.clone()).http(http_url.clone()).no(rules.clone()).build();
        Self {
            differ: https != http,
            https: config(https_url, &rules),
            http: config(http_url, &rules),
            matcher: Some(Arc::new(matcher)),
        }
    }

    /// The proxy that leads to an address, if one does.
    pub(in crate::aws) fn of_address(&self, address: &Uri) -> Option<Intercept> {
        self.matcher.as_ref()?.intercept(address)
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
fn url(proxy: Option<&(String, String)>) -> String {
    let Some((name, value)) = proxy else { return String::new() };
    let url = if value.contains("://") { value.clone() } else { format!("http://{value}") };
    if ProxyConfig::all(url.clone()).is_err() {
        // Without the value, which may hold a password.
        tracing::warn!("{name} is ignored: it is not the URL of an HTTP proxy (http://host:port)");
        return String::new();
    }
    url
}

fn config(url: String, rules: &str) -> ProxyConfig {
    ProxyConfig::all(url).map_or_else(|_| ProxyConfig::disabled(), |proxy| proxy.no_proxy(rules))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Proxies {
        Proxies::of(&Environment::of(variables.iter().copied()))
    }

    #[test]
    fn the_variable_of_the_scheme_wins_over_that_of_all() {
        let proxies = of(&[("ALL_PROXY", "http://a:1"), ("https_proxy", "b:2")]);
        assert!(proxies.differ && !proxies.https.is_disabled() && !proxies.http.is_disabled());
        assert!(format!("{:?}", proxies.https).contains("b:2"), "{:?}", proxies.https);
        assert!(format!("{:?}", proxies.http).contains("a:1"), "{:?}", proxies.http);
        assert!(!of(&[("all_proxy", "http://a:1")]).differ);
    }

    #[test]
    fn metadata_services_are_never_proxied() {
        let proxies = of(&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "example.com")]);
        assert!(format!("{:?}", proxies.https).contains("example.com,169.254.0.0/16"), "{:?}", proxies.https);
        let proxies = of(&[("HTTP_PROXY", "http://a:1")]);
        let is_proxied = |host: &str| proxies.of_address(&format!("http://{host}/").parse().unwrap()).is_some();
        // EC2, ECS, EKS, and the same over IPv6.
        for host in ["169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]"] {
            assert!(!is_proxied(host), "{host}");
        }
        assert!(is_proxied("example.com"));
    }

    #[test]
    fn what_is_not_a_proxy_is_ignored() {
        for variables in [
            &[][..],
            &[("HTTPS_PROXY", " ")],
            &[("HTTPS_PROXY", "socks5://a:1")],
            &[("HTTPS_PROXY", "http://")],
            &[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://a:1"), ("HTTPS_PROXY", "http://a:1")],
        ] {
            let proxies = of(variables);
            assert!(proxies.https.is_disabled() && proxies.http.is_disabled(), "{variables:?}");
        }
    }
}
