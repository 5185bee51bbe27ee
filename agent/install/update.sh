#!/bin/sh
# Brings this host to the release of the agent that its cluster names in an SSM parameter: fetches it from S3 as the instance's role,
# checks its SHA-256, unpacks it beside what runs, and lets the release's own install.sh do the rest. Run by gantry-update.service: at
# the first boot, and then every quarter of an hour. Containers never notice.
#
# It is part of the launch template's user data: a change here is a change of what hosts are made of, and replaces fixed hosts.
#
# Environment (/etc/gantry/release.env): GANTRY_REGION, GANTRY_URL_SUFFIX (of AWS' addresses), GANTRY_ASSET_BUCKET,
# GANTRY_RELEASE_PARAMETER (its value: `<key in the bucket> <SHA-256>`). DESTDIR comes before every path that is written.
set -eu
umask 022

metadata=http://169.254.169.254/latest
prefix=${DESTDIR:-}/opt/gantry

say() { printf 'gantry: %s\n' "$*"; }
fail() {
  printf 'gantry: %s\n' "$*" >&2
  exit 1
}

fetch() { curl --silent --show-error --fail-with-body --connect-timeout 10 --speed-limit 1024 --speed-time 60 "$@"; }

# The value of a text member of JSON on stdin; none of those asked for contains a quotation mark.
member() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

describe_instance() { fetch --header "X-aws-ec2-metadata-token: $session" "$metadata/meta-data/$1"; }

# Curl's configuration that signs as the instance's role. Given on stdin: a command line would show the secret to every process.
role_credentials() {
  session=$(fetch --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$metadata/api/token") ||
    fail "instance metadata gives no session token: $session"
  role=$(describe_instance iam/security-credentials/) || fail "this instance has no role: $role"
  answer=$(describe_instance "iam/security-credentials/$role") || fail "the role $role gives no credentials: $answer"
  printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' \
    "$(printf '%s\n' "$answer" | member AccessKeyId)" \
    "$(printf '%s\n' "$answer" | member SecretAccessKey)" \
    "$(printf '%s\n' "$answer" | member Token)"
}

# signed SERVICE, then what curl takes.
signed() {
  service=$1
  shift
  printf '%s\n' "$credentials" | fetch --config - --aws-sigv4 "aws:amz:$GANTRY_REGION:$service" "$@"
}

# Sets key and sha256.
read_release() {
  answer=$(signed ssm --header 'X-Amz-Target: AmazonSSM.GetParameter' --header 'Content-Type: application/x-amz-json-1.1' \
    --data "{\"Name\":\"$GANTRY_RELEASE_PARAMETER\"}" "https://ssm.$GANTRY_REGION.$GANTRY_URL_SUFFIX/") ||
    fail "the parameter $GANTRY_RELEASE_PARAMETER cannot be read: $answer"
  release=$(printf '%s\n' "$answer" | member Value)
  printf '%s\n' "$release" | grep -Eq '^[A-Za-z0-9._/-]+ [0-9a-f]{64}$' ||
    fail "the parameter $GANTRY_RELEASE_PARAMETER must be a key and a SHA-256; it is \"$release\""
  key=${release% *}
  sha256=${release#* }
}

# Of nothing, which is what a GET carries. S3 alone insists on it, and not every curl that signs sends it by itself (7.88 does not).
empty_sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# Leaves the release in $prefix/$sha256, whole or not at all, also when the power goes.
unpack_release() {
  incoming=$prefix/.incoming
  rm -rf "$incoming"
  mkdir -p "$incoming/$sha256"
  signed s3 --header "x-amz-content-sha256: $empty_sha256" --output "$incoming/archive" \
    "https://$GANTRY_ASSET_BUCKET.s3.$GANTRY_REGION.$GANTRY_URL_SUFFIX/$key" ||
    fail "s3://$GANTRY_ASSET_BUCKET/$key cannot be fetched: $(head -c 500 "$incoming/archive" 2>/dev/null)"
  printf '%s  %s\n' "$sha256" "$incoming/archive" | sha256sum --check --status ||
    fail "s3://$GANTRY_ASSET_BUCKET/$key is not what the parameter says: its SHA-256 is not $sha256"
  tar -xzf "$incoming/archive" --no-same-owner -C "$incoming/$sha256"
  sync
  mv "$incoming/$sha256" "$prefix/$sha256"
  rm -rf "$incoming"
}

credentials=$(role_credentials)
read_release
if [ "$(cat "$prefix/installed" 2>/dev/null)" = "$sha256" ]; then exit 0; fi
say "installing the agent's release $sha256"
[ -d "$prefix/$sha256" ] || unpack_release
exec /bin/sh "$prefix/$sha256/install.sh"
