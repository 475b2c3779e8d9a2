#!/usr/bin/env bash
# make_certs.sh DIR: certificates good and deliberately broken, each as NAME.crt and NAME.key, for tests alone.
set -euo pipefail
umask 077
dir=$1
mkdir -p "$dir"
cd "$dir"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

make_ca() {
  key "$1"
  openssl req -x509 -new -key "$1.key" -days 30 -subj "/CN=test $1" -out "$1.crt" \
    -addext basicConstraints=critical,CA:TRUE
}

# cert NAME CA COMMON_NAME START END SAN; times as YYYYMMDDHHMMSSZ
cert() {
  local name=$1 ca=$2 common=$3 start=$4 end=$5 san=$6
  key "$name"
  openssl req -new -key "$name.key" -subj "/CN=$common" -out "$name.csr"
  mkdir -p "db-$name"
  : >"db-$name/index"
  cat >"db-$name/conf" <<CONF
[ca]
default_ca = it
[it]
database = db-$name/index
rand_serial = yes
new_certs_dir = db-$name
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[ext]
basicConstraints = critical,CA:FALSE
${san:+subjectAltName = $san}
CONF
  openssl ca -batch -notext -config "db-$name/conf" -extensions ext -cert "$ca.crt" -keyfile "$ca.key" \
    -startdate "$start" -enddate "$end" -in "$name.csr" -out "$name.crt"
  rm -r "$name.csr" "db-$name"
}

# A server that vouches for itself.
self_signed() {
  key "$1"
  openssl req -x509 -new -key "$1.key" -days 30 -subj /CN=localhost -out "$1.crt" -addext "subjectAltName=$2"
}

# relative DAYS: that many days from now
relative() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }

{
  make_ca ca
  make_ca other-ca
  local_names=DNS:localhost,IP:127.0.0.1
  cert server ca localhost "$(relative -1)" "$(relative 30)" $local_names
  cert server-other-host ca elsewhere "$(relative -1)" "$(relative 30)" DNS:elsewhere.example,IP:192.0.2.7
  cert server-expired ca localhost "$(relative -30)" "$(relative -1)" $local_names
  cert server-future ca localhost "$(relative 1)" "$(relative 30)" $local_names
  self_signed server-self-signed $local_names
  cert device ca test-device "$(relative -1)" "$(relative 30)" ""
  cert device-expired ca test-device "$(relative -30)" "$(relative -1)" ""
  cert device-future ca test-device "$(relative 1)" "$(relative 30)" ""
  cert device-unknown other-ca test-device "$(relative -1)" "$(relative 30)" ""
} 2>make_certs.log || { cat make_certs.log >&2; exit 1; }
