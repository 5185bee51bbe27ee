# The distribution's packages that a host needs, and how they are installed. The only file that knows a distribution: the names for dnf
# (Amazon Linux 2023) stand beside those for apt (Debian, Ubuntu). Sourced by install.sh.

# package_of MANAGER BINARY
package_of() {
  case $1:$2 in
    *:containerd | *:containerd-shim-runc-v2) echo containerd ;;
    *:runc) echo runc ;;
    *:nsenter) echo util-linux ;;
    dnf:conntrack) echo conntrack-tools ;;
    apt:conntrack) echo conntrack ;;
    dnf:ip) echo iproute ;;
    apt:ip) echo iproute2 ;;
    dnf:iptables | dnf:iptables-restore) echo iptables-nft ;;
    apt:iptables | apt:iptables-restore) echo iptables ;;
  esac
}

package_manager() {
  if command -v dnf >/dev/null; then
    echo dnf
  elif command -v apt-get >/dev/null; then
    echo apt
  else
    echo "gantry: this host has neither dnf nor apt-get to install $* with" >&2
    return 1
  fi
}

# install_packages MANAGER PACKAGE...
install_packages() {
  manager=$1
  shift
  if [ "$manager" = dnf ]; then
    dnf -y -q install --setopt=install_weak_deps=False "$@"
  else
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
  fi
}

# packages_of MANAGER BINARY...
packages_of() {
  manager=$1
  shift
  echo $(for binary in "$@"; do package_of "$manager" "$binary"; done | sort -u)
}

# say_install BINARY...: the command that brings them, for people.
say_install() {
  manager=$(package_manager "$@") || return 1
  case $manager in
    dnf) echo "dnf install $(packages_of dnf "$@")" ;;
    apt) echo "apt-get install $(packages_of apt "$@")" ;;
  esac
}

# Installs what brings the binaries that are missing. Gantry starts a containerd of its own: one that a package has just started is idle.
install_missing() {
  missing=
  for binary in "$@"; do command -v "$binary" >/dev/null || missing="$missing $binary"; done
  [ -n "$missing" ] || return 0
  manager=$(package_manager $missing) || return 1
  packages=$(packages_of "$manager" $missing)
  echo "gantry: installing $packages ($manager)"
  install_packages "$manager" $packages
  case " $missing " in *' containerd '*) systemctl disable --now --quiet containerd.service 2>/dev/null || true ;; esac
  for binary in $missing; do
    command -v "$binary" >/dev/null && continue
    echo "gantry: $binary cannot be found although $(package_of "$manager" "$binary") is installed" >&2
    return 1
  done
}
