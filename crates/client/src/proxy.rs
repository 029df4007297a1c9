//! A proxy that stands between this machine and the vault: where it is, and what is signed in to it with.
//!
//! All calls go through it by CONNECT: what it sees is the vault's address and bytes that it can't read. It is spoken to
//! without TLS, as proxies are, so its password travels in the clear to it; nothing else does. Only what a caller gives is
//! used, never the environment.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use std::fmt;
use zeroize::Zeroizing;

/// A proxy. Its texts never show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    url: Url,
    user: Option<String>,
    password: Option<Zeroizing<String>>,
}

/// Why a text is no proxy's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyAddressError {
    /// It is none.
    #[error("It is no address of the form `http://host:port` or `http://user@host:port`")]
    NoAddress,
    /// It is of another kind.
    #[error("Proxies are reached by `http://` only: TLS to the proxy itself and SOCKS are not spoken")]
    OtherScheme,
    /// It holds a password, which other users of the machine could see.
    #[error("The password must not stand in the address, where others may read it")]
    Password,
    /// The user's name can't be sent.
    #[error("The user's name must be text without colons and control characters")]
    User,
}

impl Proxy {
    /// From an address: `http://host:port`, `http://user@host:port`. What is special in a user's name is written with percent
    /// signs.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ProxyAddressError> {
        let url = Url::parse(text.trim()).map_err(|_| ProxyAddressError::NoAddress)?;
        if url.password().is_some() {
            return Err(ProxyAddressError::Password);
        }
        if matches!(url.scheme(), "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            return Err(ProxyAddressError::OtherScheme);
        }
        let is_plain = url.scheme() == "http"
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_plain {
            return Err(ProxyAddressError::NoAddress);
        }
        let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| ProxyAddressError::User)?;
        if user.contains(|c: char| c == ':' || c.is_control()) {
            return Err(ProxyAddressError::User);
        }
        let user = (!user.is_empty()).then(|| user.into_owned());
        Ok(Self { url, user, password: None })
    }

    /// The same, signed in to with a password.
    #[must_use]
    pub fn with_password(mut self, password: Option<Zeroizing<String>>) -> Self {
        self.password = password;
        self
    }

    /// Who signs in to it, if anybody.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What is signed in with.
    pub fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.as_str())
    }

    /// `http://host:port`, without the user: what errors name.
    pub(crate) fn place(&self) -> String {
        format!("http://{}:{}", self.host(), self.port())
    }

    /// As an address has it: brackets around IPv6.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// User and password, if somebody signs in.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        Some((self.user()?, self.password().unwrap_or_default()))
    }

    /// As the HTTP library takes it.
    pub(crate) fn for_client(&self) -> Result<reqwest::Proxy, reqwest::Error> {
        let proxy = reqwest::Proxy::all(self.place())?;
        Ok(match self.login() {
            Some((user, password)) => proxy.basic_auth(user, password),
            None => proxy,
        })
    }
}

/// The address without the password, as it is given.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url.username() {
            "" => write!(f, "{}", self.place()),
            user => write!(f, "http://{user}@{}:{}", self.host(), self.port()),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod calls_through_it;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_user_and_shown_without_its_password() {
        let proxy = Proxy::parse(" http://CORP%5Cjane@proxy.example:3128/ ").unwrap();
        let proxy = proxy.with_password(Some("geheim-7".to_owned().into()));
        assert_eq!((proxy.user(), proxy.password()), (Some("CORP\\jane"), Some("geheim-7")));
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
        assert_eq!(proxy.to_string(), "http://CORP%5Cjane@proxy.example:3128");
        assert_eq!(Proxy::parse(&proxy.to_string()).unwrap().user(), proxy.user());
        assert!(!format!("{proxy:?} {proxy}").contains("geheim-7"));
        let plain = Proxy::parse("http://[::1]:8080").unwrap();
        assert_eq!((plain.to_string().as_str(), plain.login()), ("http://[::1]:8080", None));
    }

    #[test]
    fn what_is_no_proxy_is_refused_with_what_is_wrong_with_it() {
        use ProxyAddressError as E;
        let cases = [
            ("", E::NoAddress),
            ("proxy:3128", E::NoAddress),
            ("http://proxy/path", E::NoAddress),
            ("http://proxy?x", E::NoAddress),
            ("https://proxy:3128", E::OtherScheme),
            ("socks5://proxy:1080", E::OtherScheme),
            ("http://user:secret@proxy:3128", E::Password),
            ("http://a%3Ab@proxy:3128", E::User),
            ("http://a%0Ab@proxy:3128", E::User),
        ];
        for (text, error) in cases {
            assert_eq!(Proxy::parse(text), Err(error), "{text}");
        }
    }
}
