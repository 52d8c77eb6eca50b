//! Variables that Python, its libraries or Airflow read when they are loaded. A forked process has them loaded with the
//! values of the server, so a command with other values is started in the usual way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

const NAMES: &[&str] = &["GLIBC_TUNABLES", "HOME", "LANG", "LANGUAGE", "OPENSSL_CONF", "TMPDIR", "TZ"];
const PREFIXES: &[&str] = &["AIRFLOW", "LC_", "LD_", "MALLOC_", "MKL_", "OMP_", "OPENBLAS_", "PYTHON"];
/// Airflow reads these at each use, so they may differ.
const FREE_PREFIXES: &[&str] = &["AIRFLOW_CONN_", "AIRFLOW_VAR_"];

/// The first of these variables that differs.
pub(super) fn difference<'a>(
    server: &'a BTreeMap<OsString, OsString>,
    command: &'a BTreeMap<OsString, OsString>,
) -> Option<&'a OsString> {
    server.keys().chain(command.keys()).find(|name| is_fixed(name) && server.get(*name) != command.get(*name))
}

fn is_fixed(name: &OsString) -> bool {
    let begins = |prefix: &&str| name.as_bytes().starts_with(prefix.as_bytes());
    NAMES.iter().any(|fixed| name == fixed) || (PREFIXES.iter().any(begins) && !FREE_PREFIXES.iter().any(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn only_what_is_read_at_loading_must_be_equal() {
        let server = environment(&[("PYTHONPATH", "/a"), ("LANG", "C"), ("X", "1"), ("AIRFLOW_CONN_A", "1")]);
        let same = environment(&[("PYTHONPATH", "/a"), ("LANG", "C"), ("Y", "2"), ("AIRFLOW_CONN_A", "2")]);
        assert_eq!(difference(&server, &same), None);
        for (name, value) in
            [("PYTHONPATH", "/b"), ("PYTHONHASHSEED", "0"), ("LANG", "de_DE"), ("AIRFLOW__CORE__X", "1"), ("TZ", "UTC")]
        {
            let mut other = same.clone();
            other.insert(name.into(), value.into());
            assert_eq!(difference(&server, &other), Some(&name.into()));
        }
        assert_eq!(difference(&server, &environment(&[("LANG", "C")])), Some(&"PYTHONPATH".into()));
    }
}
