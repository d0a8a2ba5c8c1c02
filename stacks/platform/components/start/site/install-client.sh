#!/bin/sh
# Lets this computer trust the platform's internal CA, then checks that names resolve and services answer.
# For Debian, Fedora, Arch and SUSE and what comes of them, and macOS. Changes nothing before the CA's fingerprint is the
# one that you were given; `--uninstall` undoes what it did and nothing else.
set -eu
export LC_ALL=C

zone='@ZONE@'
hosts='@HOSTS@'

usage() {
  cat <<'TEXT'
Usage: sudo sh install-client.sh --fingerprint SHA256 [--ca FILE] [--zone ZONE] [--dry-run]
       sudo sh install-client.sh --uninstall [--zone ZONE] [--dry-run]
       sh install-client.sh --check [--zone ZONE]

  --fingerprint SHA256  of the CA, as an operator gave it to you (64 hexadecimal digits, colons as you like)
  --ca FILE             the CA's certificate; without it, it is fetched from https://start.ZONE/ca.crt
  --check               only whether names resolve, certificates are trusted and services answer
  --dry-run             say what would be done
  --uninstall           undo what this script did
  --zone ZONE           another zone than the one that this copy was made for

Exit code: 0 done; 1 cannot be done here; 2 wrong use; 3 the CA is not the one of the fingerprint; 4 installed, but a
service is not reached.
TEXT
}

say() { printf '%s\n' "$*"; }
stop() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }
has() { command -v "$1" >/dev/null 2>&1; }

fingerprint='' given='' action=install dry=''
while [ $# -gt 0 ]; do
  case $1 in
    --fingerprint | --ca | --zone)
      [ $# -ge 2 ] || stop 2 "$1 needs a value."
      case $1 in --fingerprint) fingerprint=$2 ;; --ca) given=$2 ;; *) zone=$2 ;; esac
      shift 2 ;;
    --check) action=check; shift ;;
    --uninstall) action=uninstall; shift ;;
    --dry-run) dry=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; stop 2 "Unknown: $1" ;;
  esac
done
case $zone in '' | *[!a-z0-9.-]* | .* | *. | -*) stop 2 "No zone: give --zone, such as llm.internal." ;; esac

# Where another root folder is prepared, as for an image, everything goes below it.
root=${INSTALL_CLIENT_ROOT:-}
name=llm-platform-$(printf %s "$zone" | tr . -)
state=$root/var/lib/$name
kept=$state/ca.crt
record=$state/done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ------------------------------------------------------------------------------------------------------------ the CA

# fingerprint_of FILE: SHA-256 of its one certificate; nothing where there is none or more than one.
fingerprint_of() {
  [ "$(grep -c 'BEGIN CERTIFICATE' "$1")" = 1 ] || return 1
  sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$1" | grep -v -e '-----' | tr -d ' \r\n' >"$work/base64"
  base64 -d <"$work/base64" >"$work/der" 2>/dev/null || base64 -D <"$work/base64" >"$work/der"
  if has sha256sum; then sha256sum <"$work/der"; else shasum -a 256 <"$work/der"; fi | cut -d ' ' -f 1
}

fetch_ca() {
  if [ -n "$given" ]; then
    cp "$given" "$work/ca.crt" 2>/dev/null || stop 1 "$given cannot be read."
    return
  fi
  url=https://start.$zone/ca.crt
  # Nobody can vouch for this connection yet: the fingerprint does for what comes over it.
  if has curl; then
    curl --fail --silent --show-error --insecure --proto '=https' --max-time 30 --output "$work/ca.crt" "$url"
  elif has wget; then
    wget --quiet --no-check-certificate --tries 1 --timeout 30 --output-document "$work/ca.crt" "$url"
  else
    stop 1 "This needs curl or wget, or the certificate as --ca FILE."
  fi || stop 1 "The CA cannot be fetched from $url. Are you connected to the network or tailnet? Or give --ca FILE."
}

verify_ca() {
  expected=$(printf %s "$fingerprint" | tr -d ': ' | tr 'A-F' 'a-f')
  case $expected in *[!0-9a-f]*) stop 2 "--fingerprint has 64 hexadecimal digits." ;; esac
  [ ${#expected} = 64 ] || stop 2 "--fingerprint has 64 hexadecimal digits; ask an operator for it."
  found=$(fingerprint_of "$work/ca.crt") || stop 3 "What was fetched is not one certificate. Nothing was changed."
  [ "$found" = "$expected" ] || stop 3 "The CA has the fingerprint $found, not the one that you gave. \
Somebody may be in between, or the CA is another one: ask an operator. Nothing was changed."
  say "The CA is the one of the fingerprint."
}

# ------------------------------------------------------------------------------------------------- what is done, undone

# did KIND PLACE: note it, so that it can be undone.
did() {
  line=$(printf '%s\t%s' "$1" "$2")
  grep -qxF "$line" "$record" 2>/dev/null || printf '%s\n' "$line" >>"$record"
}

# run COMMAND...: quietly; with --dry-run only say so.
run() {
  if [ -n "$dry" ]; then say "Would run: $*"; return; fi
  "$@" >"$work/output" 2>&1 || { cat "$work/output" >&2; stop 1 "This failed: $*"; }
}

# folders PLACE: make it and what is missing above it.
folders() {
  [ -d "$1" ] && return
  folders "$(dirname "$1")"
  mkdir "$1"
  did folder "$1"
}

# write PLACE: the standard input, once and with a note.
write() {
  if [ -n "$dry" ]; then cat >/dev/null; say "Would write: $1"; return; fi
  folders "$(dirname "$1")"
  did file "$1"
  cat >"$1"
  chmod 644 "$1"
}

family() {
  case $(uname -s) in
    Darwin) say macos; return ;;
    Linux) ;;
    *) return 0 ;;
  esac
  # shellcheck disable=SC1091 # another computer's
  words=$(. "$root/etc/os-release" 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}") || words=''
  for word in $words; do
    case $word in
      debian | ubuntu) say debian; return ;;
      fedora | rhel | centos) say fedora; return ;;
      arch) say arch; return ;;
      suse | opensuse | sles) say suse; return ;;
    esac
  done
}

keychain=/Library/Keychains/System.keychain
system=$(family)
case $system in
  debian) anchor=$root/usr/local/share/ca-certificates/$name.crt refresh=update-ca-certificates bundle=/etc/ssl/certs/ca-certificates.crt ;;
  fedora) anchor=$root/etc/pki/ca-trust/source/anchors/$name.crt refresh=update-ca-trust bundle=/etc/pki/tls/certs/ca-bundle.crt ;;
  arch) anchor=$root/etc/ca-certificates/trust-source/anchors/$name.crt refresh=update-ca-trust bundle=/etc/ssl/certs/ca-certificates.crt ;;
  suse) anchor=$root/etc/pki/trust/anchors/$name.crt refresh=update-ca-certificates bundle=/etc/ssl/ca-bundle.pem ;;
  macos) anchor='' refresh=security bundle=$state/bundle.pem ;;
  *) anchor='' refresh='' bundle='' ;;
esac

trust_system() {
  if [ "$system" = macos ]; then
    run security add-trusted-cert -d -r trustRoot -k "$keychain" "$kept"
    [ -n "$dry" ] || did keychain "$keychain"
    say "System: trusted, by the system's keychain (Safari, Chrome, Firefox from 120, curl)."
    return
  fi
  write "$anchor" <"$work/ca.crt"
  run "$refresh"
  say "System: trusted (curl, git, wget and whatever reads $bundle)."
}

# Firefox reads the system's CAs by itself on macOS, not everywhere on Linux; a policy says so for every profile.
trust_firefox() {
  [ "$system" != macos ] || return 0
  policies=$root/etc/firefox/policies/policies.json
  if [ ! -e "$policies" ] || grep -qs "$name" "$policies"; then
    write "$policies" <<TEXT
{"policies": {"Certificates": {"ImportEnterpriseRoots": true, "Install": ["/var/lib/$name/ca.crt"]}}}
TEXT
    say "Firefox: a policy installs the CA at its next start."
  else
    say "Firefox: $policies is there already. Add to it, below \"policies\":"
    say "  \"Certificates\": {\"ImportEnterpriseRoots\": true, \"Install\": [\"/var/lib/$name/ca.crt\"]}"
  fi
}

# Chrome and Chromium on Linux ask the person's own database.
person_home() { eval "printf %s ~$person"; }
person=${SUDO_USER:-}
case $person in *[!a-zA-Z0-9._-]* | root) person='' ;; esac
as_person() { if [ "$(id -un)" = "$person" ]; then "$@"; else su "$person" -c "$(printf "'%s' " "$@")"; fi; }

trust_chrome() {
  [ "$system" != macos ] && [ -n "$person" ] || return 0
  database=$(person_home)/.pki/nssdb
  if ! has certutil || [ ! -d "$database" ]; then
    say "Chrome: where it does not trust the CA yet, import $kept in its settings (Certificates, Custom, Trusted)."
    return
  fi
  run as_person certutil -A -d "sql:$database" -n "$name" -t C,, -i "$kept"
  [ -n "$dry" ] || did nss "$database"
  say "Chrome: the CA is in the database of $person."
}

# Programs that bring CAs of their own are told by variables.
trust_programs() {
  variables=$root/etc/profile.d/$name.sh
  if [ "$system" = macos ]; then
    variables=$state/environment.sh
    if [ -n "$dry" ]; then say "Would write: $bundle"; else
      { security find-certificate -a -p /System/Library/Keychains/SystemRootCertificates.keychain; cat "$work/ca.crt"; } |
        write "$bundle"
    fi
  fi
  write "$variables" <<TEXT
# The internal CA of $zone, for programs that do not ask the system. Written by install-client.sh.
export NODE_EXTRA_CA_CERTS="\${NODE_EXTRA_CA_CERTS:-${kept#"$root"}}"
export SSL_CERT_FILE="\${SSL_CERT_FILE:-${bundle#"$root"}}"
export REQUESTS_CA_BUNDLE="\${REQUESTS_CA_BUNDLE:-${bundle#"$root"}}"
TEXT
  if [ "$system" = macos ]; then
    say "Node and Python: add this line to ~/.zshrc:  . ${variables#"$root"}"
  else
    say "Node and Python: from your next login; in this shell:  . ${variables#"$root"}"
  fi
}

# java_stores: files with the CAs of every Java here, each once.
java_stores() {
  for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" "$root"/usr/lib/jvm/*/bin/java \
    "$root"/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java; do
    [ -n "$java" ] && [ -x "$java" ] || continue
    home=$(readlink -f "$java") && home=${home%/bin/java}
    for store in "$home/lib/security/cacerts" "$home/jre/lib/security/cacerts"; do
      [ -e "$store" ] && readlink -f "$store"
    done
  done | sort -u
}

# java_alias STORE: the name under which a store has the CA; nothing where it has not. Debian's own store has names of
# Debian's, and its hook adds to it but takes nothing away.
java_alias() {
  keytool -list -keystore "$1" -storepass changeit 2>/dev/null |
    awk -v wanted="$found" '/[Ff]ingerprint/ { sum = $NF; gsub(":", "", sum); if (tolower(sum) == wanted) print alias }
      { sub(/, .*/, ""); alias = $0 }'
}

trust_java() {
  java_stores >"$work/stores" || true
  [ -s "$work/stores" ] || return 0
  if ! has keytool; then
    say "Java: there is no keytool on PATH; import $kept into its cacerts."
    return
  fi
  while read -r store; do
    # The system's own store has it by now where a package keeps it.
    if [ -n "$(java_alias "$store")" ]; then
      [ -n "$dry" ] || grep -qxF "$store" "$work/knew" || did java "$store"
      say "Java: $store has the CA."
      continue
    fi
    run keytool -importcert -noprompt -keystore "$store" -storepass changeit -alias "$name" -file "$kept"
    [ -n "$dry" ] || did java "$store"
    say "Java: the CA is in $store."
  done <"$work/stores"
}

undo() {
  kind=$1 place=$2
  case $kind in
    file) run rm -f "$place" ;;
    folder) [ -n "$dry" ] || rmdir "$place" 2>/dev/null || true ;; # something of others is in it by now
    keychain) run security remove-trusted-cert -d "$kept"
      run security delete-certificate -Z "$(shasum -a 1 "$work/der" | cut -d ' ' -f 1 | tr a-f A-F)" "$place" ;;
    nss) [ ! -d "$place" ] || run as_person certutil -D -d "sql:$place" -n "$name" ;;
    java) alias=''
      [ ! -e "$place" ] || alias=$(java_alias "$place")
      [ -z "$alias" ] || run keytool -delete -keystore "$place" -storepass changeit -alias "$alias" ;;
  esac
}

undo_all() {
  found=$(fingerprint_of "$kept") || found=none # leaves the certificate in $work/der, too
  # In reverse, so that what was built on something goes before it.
  sed -n '1!G;h;$p' "$record" >"$work/undo"
  while IFS="$(printf '\t')" read -r kind place; do undo "$kind" "$place"; done <"$work/undo"
  case $system in
    macos) ;;
    debian) run "$refresh" --fresh ;; # else the link to what is gone stays
    *) run "$refresh" ;;
  esac
  run rm -rf "$state"
}

# ------------------------------------------------------------------------------------------------------------- checks

# reach URL: 0 answers, 6 no such name, 60 not trusted, else no answer.
reach() {
  if has curl; then
    curl --silent --output /dev/null --max-time 20 "$1"
    return
  fi
  wget --quiet --spider --tries 1 --timeout 20 "$1" && return 0
  case $? in 5) return 60 ;; 6 | 8) return 0 ;; esac
  getent hosts "$(printf %s "$1" | cut -d / -f 3)" >/dev/null 2>&1 && return 7
  return 6
}

check() {
  failed=''
  for host in $hosts; do
    code=0
    reach "https://$host.$zone/" || code=$?
    case $code in
      0) say "$host.$zone: resolves, is trusted, answers." ; continue ;;
      6) say "$host.$zone: the name does not resolve. Are you connected, and does your resolver ask for $zone?" ;;
      60) say "$host.$zone: answers, but its certificate is not trusted." ;;
      *) say "$host.$zone: resolves, but does not answer." ;;
    esac
    failed=yes
  done
  [ -z "$failed" ] || return 4
}

# --------------------------------------------------------------------------------------------------------------- main

if [ "$action" = check ]; then check; exit; fi
[ -n "$system" ] || stop 1 "This system is not known. Install the CA's certificate by its own means."
[ -n "$dry" ] || [ "$(id -u)" = 0 ] || [ -n "$root" ] || stop 1 "This changes the system: run it with sudo."

if [ "$action" = uninstall ]; then
  [ -e "$record" ] || { say "Nothing is installed here for $zone."; exit 0; }
  undo_all
  [ -n "$dry" ] || say "Undone. Programs that run already keep what they have read until they start again."
  exit 0
fi

[ -n "$fingerprint" ] || stop 2 "Give --fingerprint: an operator has it, and the page alone cannot vouch for itself."
[ "$system" = macos ] || has "$refresh" || stop 1 "$refresh is missing: install the package ca-certificates first."
fetch_ca
verify_ca
if [ -e "$record" ] && ! cmp -s "$kept" "$work/ca.crt"; then
  say "Another CA of this zone is installed; it goes first."
  undo_all
  found=$expected
fi
if [ -n "$dry" ]; then kept=$work/ca.crt; else
  mkdir -p "$state"
  cp "$work/ca.crt" "$kept"
  chmod 644 "$kept"
fi
java_stores | while read -r store; do [ -z "$(java_alias "$store")" ] || say "$store"; done >"$work/knew" || true
trust_system
trust_firefox
trust_chrome
trust_programs
trust_java
[ -z "$dry" ] || exit 0
check || { say "Installed, but see above; try again with --check."; exit 4; }
say "Done. Begin at https://start.$zone"
