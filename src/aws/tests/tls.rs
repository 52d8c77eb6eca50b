//! TLS, CA bundles, and proxies that open tunnels.

use super::*;
use crate::aws::tests::certificate;
use crate::aws::tests::proxy::FakeProxy;
use rustls::ServerConfig;

/// A server that speaks TLS, and settings that trust it, with variables of the environment.
async fn secure(name: &str, variables: &[(&str, &str)]) -> (FakeServer, Settings) {
    secure_with(certificate::make(), name, variables).await
}

/// The same with a given certificate.
async fn secure_with(
    (pem, config): (String, Arc<ServerConfig>),
    name: &str,
    variables: &[(&str, &str)],
) -> (FakeServer, Settings) {
    let server = FakeServer::start_tls(config, |_, seen| match seen.header("x-amz-target") {
        Some(_) => Answer::Reply(200, vec![], "{}".into()),
        None => accepted(),
    })
    .await;
    let module = module_path!().replace("::", "-");
    let bundle = std::env::temp_dir().join(format!("{module}-{name}-{}.pem", std::process::id()));
    std::fs::write(&bundle, pem).unwrap();
    let mut settings = settings(&server);
    settings.ca_bundle = Some(bundle);
    settings.isolated = false;
    settings.environment = Environment::of(variables.iter().copied());
    (server, settings)
}

fn remove_bundle(settings: &Settings) {
    std::fs::remove_file(settings.ca_bundle.as_ref().unwrap()).unwrap();
}

#[tokio::test]
async fn a_server_with_a_certificate_of_the_bundle_is_trusted() {
    let (server, settings) = secure("bundle", &[]).await;
    let aws = Aws::new(settings.clone());
    for _ in 0..3 {
        invoke(&aws).await.unwrap();
    }
    assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 0]);
    assert!(server.seen()[0].header("host").unwrap().starts_with("127.0.0.1:"));
    remove_bundle(&settings);
}

#[tokio::test]
async fn a_certificate_that_is_not_in_the_bundle_is_refused_and_nothing_is_sent() {
    let (server, mut settings) = secure("other", &[]).await;
    std::fs::write(settings.ca_bundle.as_ref().unwrap(), certificate::make().0).unwrap();
    settings.connect_timeout = Duration::from_secs(3);
    let error = invoke(&Aws::new(settings.clone())).await.unwrap_err();
    assert_eq!(
        (error.fault, error.sent, error.code.as_str()),
        (Fault::Service, Sent::No, "ConnectionFailed"),
        "{error}"
    );
    assert!(error.message.contains("certificate"), "{error}");
    assert!(server.seen().is_empty());
    remove_bundle(&settings);
}

#[tokio::test]
async fn a_proxy_with_a_password_opens_a_tunnel() {
    let proxy = FakeProxy::start(200).await;
    let url = format!("http://user:pa%20ss@{}", proxy.address);
    let (server, settings) = secure("tunnel", &[("HTTPS_PROXY", &url)]).await;
    let aws = Aws::new(settings.clone());
    invoke(&aws).await.unwrap();
    invoke(&aws).await.unwrap();
    let heads = proxy.heads();
    let target = server.url.strip_prefix("https://").unwrap();
    assert_eq!(heads.len(), 1, "the tunnel is used again");
    assert!(heads[0].starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")), "{}", heads[0]);
    // user:pa ss
    assert!(heads[0].to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwysbzcw=="), "{}", heads[0]);
    for seen in server.seen() {
        assert_eq!(seen.line, "POST /2015-03-31/functions/run/invocations");
        assert_eq!(seen.header("proxy-authorization"), None, "the password is the proxy's alone");
    }
    remove_bundle(&settings);
}

#[tokio::test]
async fn a_proxy_that_speaks_tls_opens_a_tunnel() {
    let (pem, config) = certificate::make();
    let proxy = FakeProxy::start_tls(Arc::clone(&config), 200).await;
    let url = format!("https://user:password@{}", proxy.address);
    let (server, settings) = secure_with((pem, config), "tls-in-tls", &[("HTTPS_PROXY", &url)]).await;
    let aws = Aws::new(settings.clone());
    invoke(&aws).await.unwrap();
    invoke(&aws).await.unwrap();
    assert_eq!(proxy.heads().len(), 1, "the tunnel is used again");
    assert_eq!(server.seen().len(), 2);
    remove_bundle(&settings);
}

#[tokio::test]
async fn a_host_of_no_proxy_is_reached_directly() {
    let proxy = FakeProxy::start(407).await;
    let url = format!("http://{}", proxy.address);
    let (_server, settings) = secure("no-proxy", &[("HTTPS_PROXY", &url), ("NO_PROXY", "127.0.0.0/8")]).await;
    invoke(&Aws::new(settings.clone())).await.unwrap();
    assert!(proxy.heads().is_empty());
    remove_bundle(&settings);
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_reported_and_nothing_is_sent() {
    for (status, words) in [(407, "proxy authorization required"), (502, "unsuccessful")] {
        let proxy = FakeProxy::start(status).await;
        let url = format!("http://{}", proxy.address);
        let (server, settings) = secure(&format!("refused-{status}"), &[("HTTPS_PROXY", &url)]).await;
        let error = invoke(&Aws::new(settings.clone())).await.unwrap_err();
        let found = (error.fault, error.sent, error.code.as_str());
        assert_eq!(found, (Fault::Service, Sent::No, "ConnectionFailed"), "{error}");
        assert!(error.message.contains(words), "{error}");
        let way = format!("(connecting to {} through the proxy {url})", server.url);
        assert!(error.message.ends_with(&way), "{error}");
        assert!(server.seen().is_empty());
        remove_bundle(&settings);
    }
}
