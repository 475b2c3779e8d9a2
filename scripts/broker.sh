#!/usr/bin/env bash
# A local rehearsal of AWS IoT Core: mosquitto on loopback that demands client certificates, with an authority of its own,
# and an ACL by which a device may publish and subscribe only under its own name.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/broker.sh start|stop|status [--dir DIR] [--port N] [--device NAME] [--acl FILE]
  --dir DIR      where certificates, configuration and log live   (.local/broker in the repository)
  --port N       TCP port on 127.0.0.1                            (8883)
  --device NAME  the device that glimpse.json is written for      (glimpse-demo)
  --acl FILE     mosquitto's ACL, copied      (a device: all under glimpse/v1/NAME/; the user "subscriber": reads glimpse/)
TEXT
}

fail() {
  echo "broker.sh: $*" >&2
  exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$root/.local/broker
port=8883
device=glimpse-demo
acl=
action=${1:-}
[ $# -gt 0 ] && shift
while [ $# -gt 0 ]; do
  case $1 in
    --dir | --port | --device | --acl)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case $1 in
        --dir) dir=$2 ;;
        --port) port=$2 ;;
        --device) device=$2 ;;
        --acl) acl=$2 ;;
      esac
      shift 2
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
  esac
done
{ [[ $port =~ ^[0-9]{1,5}$ ]] && ((port >= 1 && port <= 65535)); } || fail "--port $port: expected 1 to 65535"
[[ $device =~ ^[a-zA-Z0-9:_-]{1,128}$ ]] || fail "--device $device: expected 1 to 128 of a-z A-Z 0-9 : _ -"
[ -z "$acl" ] || [ -r "$acl" ] || fail "--acl $acl: there is no such file"

PATH=$PATH:/usr/sbin:/usr/local/sbin # where Debian keeps mosquitto, and where users do not look
umask 077                            # keys are made 0600

# --- certificates -----------------------------------------------------------------------------------------------------

ca() { echo "$dir/ca.$1"; }

# good CERT: it is there, lasts another day, and our authority signed it.
good() {
  [ -s "$1" ] && [ -s "${1%.crt}.key" ] && openssl x509 -in "$1" -noout -checkend 86400 >/dev/null 2>&1 &&
    openssl verify -CAfile "$(ca crt)" "$1" >/dev/null 2>&1
}

make_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=glimpse local CA" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$(ca key)" -out "$(ca crt)" 2>/dev/null || fail "openssl cannot make a CA in $dir"
}

# make_cert PATH_WITHOUT_SUFFIX COMMON_NAME EXTENSION...
make_cert() {
  local path=$1 name=$2
  shift 2
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$path.key" -out "$path.csr" 2>/dev/null || fail "openssl cannot make $path.key"
  openssl x509 -req -in "$path.csr" -CA "$(ca crt)" -CAkey "$(ca key)" -days 825 \
    -set_serial "0x$(openssl rand -hex 16)" -out "$path.crt" \
    -extfile <(printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "$@") \
    2>/dev/null || fail "openssl cannot sign $path.crt"
  rm -f "$path.csr"
}

make_missing_certs() {
  mkdir -p "$dir/devices"
  good "$(ca crt)" || make_ca
  if ! good "$dir/server.crt"; then
    make_cert "$dir/server" localhost extendedKeyUsage=serverAuth \
      "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"
    stop_broker # a running one still shows the old certificate
  fi
  good "$dir/subscriber.crt" || make_cert "$dir/subscriber" subscriber extendedKeyUsage=clientAuth
  good "$dir/devices/$device.crt" || make_cert "$dir/devices/$device" "$device" extendedKeyUsage=clientAuth
}

# --- configuration ----------------------------------------------------------------------------------------------------

json() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

write_acl() {
  if [ -n "$acl" ]; then
    cat "$acl" >"$dir/acl"
    return
  fi
  cat >"$dir/acl" <<ACL
user subscriber
topic read glimpse/#

pattern readwrite glimpse/v1/%u/#
ACL
}

write_files() {
  write_acl
  # As root mosquitto would become the user "mosquitto", who may not read the keys: it stays who started it. Its own
  # queue for a slow subscriber (1,000 messages) would drop what the test is there to count.
  cat >"$dir/mosquitto.conf" <<CONF
user $(id -un)
listener $port 127.0.0.1
cafile $(ca crt)
certfile $dir/server.crt
keyfile $dir/server.key
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file $dir/acl
persistence false
max_queued_messages 100000
log_dest stderr
log_timestamp_format %Y-%m-%dT%H:%M:%S
CONF
  cat >"$dir/glimpse.json" <<JSON
{
  "telemetry": {
    "broker": "mqtts://localhost:$port",
    "ca": $(json "$(ca crt)"),
    "cert": $(json "$dir/devices/$device.crt"),
    "key": $(json "$dir/devices/$device.key"),
    "device": "$device"
  },
  "outbox": {
    "state": $(json "$dir/state")
  }
}
JSON
}

# --- the process ------------------------------------------------------------------------------------------------------

# Our mosquitto's pid, or nothing: the number alone could by now be somebody else's.
running_pid() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -F -- "-c $dir/mosquitto.conf" >/dev/null || return 1
  echo "$pid"
}

running_port() { sed -n 's/^listener \([0-9]*\) .*/\1/p' "$dir/mosquitto.conf" 2>/dev/null; }

accepts_tls() {
  openssl s_client -connect "127.0.0.1:$port" -CAfile "$(ca crt)" -verify_return_error \
    -cert "$dir/subscriber.crt" -key "$dir/subscriber.key" </dev/null >/dev/null 2>&1
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

start_broker() {
  if running_pid >/dev/null; then
    [ "$(running_port)" = "$port" ] && return
    stop_broker
  fi
  ! port_is_taken || fail "port $port on 127.0.0.1 is taken by another program; stop it, or choose one with --port N"
  write_files
  setsid mosquitto -c "$dir/mosquitto.conf" >>"$dir/mosquitto.log" 2>&1 </dev/null &
  local pid=$! deadline=$((SECONDS + 10))
  echo "$pid" >"$dir/pid"
  until accepts_tls; do
    kill -0 "$pid" 2>/dev/null || fail "mosquitto ended at once: $(tail -n 1 "$dir/mosquitto.log")"
    ((SECONDS < deadline)) || fail "mosquitto does not answer on port $port; see $dir/mosquitto.log"
    sleep 0.05
  done
}

stop_broker() {
  local pid deadline=$((SECONDS + 5))
  pid=$(running_pid) || return 0
  kill "$pid"
  while running_pid >/dev/null; do
    ((SECONDS < deadline)) || kill -9 "$pid"
    sleep 0.05
  done
  rm -f "$dir/pid"
}

# The path as a person would type it from the repository's root.
short() { echo "${1#"$root"/}"; }

print_help() {
  cat <<TEXT
broker: 127.0.0.1:$port, TLS with client certificates, log in $(short "$dir/mosquitto.log")
listen: mosquitto_sub -h localhost -p $port --cafile $(short "$(ca crt)") --cert $(short "$dir/subscriber.crt") --key $(short "$dir/subscriber.key") -v -t 'glimpse/#'
send:   build/glimpse run --config $(short "$dir/glimpse.json")
TEXT
}

case $action in
  start)
    for tool in mosquitto openssl setsid; do
      command -v "$tool" >/dev/null || fail "$tool is not installed; run scripts/setup.sh"
    done
    mkdir -p "$dir" || fail "cannot make the folder $dir; choose another with --dir"
    dir=$(cd "$dir" && pwd)
    make_missing_certs
    start_broker
    write_files # for a broker that ran already: --device may be another one
    print_help
    ;;
  stop)
    [ ! -d "$dir" ] || dir=$(cd "$dir" && pwd)
    stop_broker
    ;;
  status)
    [ ! -d "$dir" ] || dir=$(cd "$dir" && pwd)
    if pid=$(running_pid); then
      echo "running: pid $pid, 127.0.0.1:$(running_port)"
    else
      echo "not running"
      exit 1
    fi
    ;;
  -h | --help) usage ;;
  *) usage >&2 && exit 64 ;;
esac
