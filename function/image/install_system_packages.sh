#!/bin/sh
# Installs packages of the base's distribution, and CA certificates if the base has none (calls to AWS need them):
# install_system_packages.sh "NAME NAME ...".
set -eu
packages=$1

fail() { printf 'install_system_packages: %s\n' "$*" >&2; exit 1; }

# The program looks for them here: Debian's and Amazon Linux's paths.
[ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s /etc/pki/tls/certs/ca-bundle.crt ] ||
  packages="$packages ca-certificates"
[ -n "$packages" ] || exit 0

# Names are split at spaces.
# shellcheck disable=SC2086
if command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
  rm -rf /var/lib/apt/lists/*
else
  for tool in dnf microdnf yum; do
    if command -v "$tool" >/dev/null; then
      "$tool" install -y $packages
      "$tool" clean all
      exit 0
    fi
  done
  fail "no apt-get, dnf, microdnf or yum in this base to install with: $packages"
fi
