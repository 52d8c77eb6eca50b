//! Scheme, host and port of an address.

use http::Uri;

/// Where a request goes to.
#[derive(Debug)]
pub(in crate::aws) struct Origin {
    /// `http://host` or `https://host`, with the port if it is not the scheme's.
    pub(in crate::aws) url: String,
    /// The part of it that header `host` has.
    pub(in crate::aws) host: String,
}

impl Origin {
    /// An error says what is wrong with the address.
    pub(in crate::aws) fn of(address: &Uri) -> Result<Self, String> {
        let (Some(scheme), Some(authority)) = (address.scheme_str(), address.authority()) else {
            return Err(format!("the address {address} has no scheme or no host"));
        };
        let host = authority.host();
        // Without a user's name.
        let server = authority.as_str().rsplit('@').next().unwrap_or_default();
        let port_text = server.strip_prefix(host).unwrap_or_default().trim_start_matches(':');
        let host = match (scheme, authority.port_u16()) {
            // Not the scheme's port in place of one that is out of range.
            (_, None) if !port_text.is_empty() => {
                return Err(format!("the port of {scheme}://{server} is not a number from 0 to 65535"));
            }
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => host.to_owned(),
            (_, Some(port)) => format!("{host}:{port}"),
        };
        Ok(Self { url: format!("{scheme}://{host}"), host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Result<(String, String), String> {
        Origin::of(&address.parse().unwrap()).map(|origin| (origin.url, origin.host))
    }

    #[test]
    fn the_schemes_port_is_left_out() {
        for (address, url, host) in [
            ("https://a.example/b?c", "https://a.example", "a.example"),
            ("https://a.example:443/", "https://a.example", "a.example"),
            ("http://a.example:80/", "http://a.example", "a.example"),
            ("http://a.example:443/", "http://a.example:443", "a.example:443"),
            ("http://[::1]:8080/", "http://[::1]:8080", "[::1]:8080"),
            ("http://[::1]/", "http://[::1]", "[::1]"),
            ("http://user:secret@a.example:/", "http://a.example", "a.example"),
        ] {
            assert_eq!(origin(address), Ok((url.into(), host.into())), "{address}");
        }
    }

    #[test]
    fn an_address_without_host_or_with_a_wrong_port_is_refused() {
        assert_eq!(origin("/a").unwrap_err(), "the address /a has no scheme or no host");
        // Without the password.
        assert_eq!(
            origin("http://user:secret@h:99999/").unwrap_err(),
            "the port of http://h:99999 is not a number from 0 to 65535"
        );
    }
}
