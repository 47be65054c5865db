#!/bin/sh
# Installs chatserver and chatclient for the user who runs it, with what makes shells complete their
# command lines and the pages of the manual. Needs no root, and changes nothing but these files.
#
# usage: install.sh [--version VERSION] [--dir FOLDER] [--from URL]
set -eu

# The page of the releases: a release fills it in, CHAT_RELEASES or --from overrides it.
releases=''

usage='usage: install.sh [--version VERSION] [--dir FOLDER] [--from URL]

Installs chatserver and chatclient for the user who runs it, and beside a
folder "bin" in "share" completions for shells and pages of the manual.

  --version VERSION  this version, such as 0.1.0 (default: the latest)
  --dir FOLDER       where to (default: ~/.local/bin)
  --from URL         the page of the releases, or a mirror of it; also CHAT_RELEASES

A mirror has the files of a version below download/vVERSION/, those of the latest below
latest/download/.'

# fail CODE MESSAGE: 2 is for a wrong command line, 1 for all else
fail() {
  printf 'install.sh: %s\n' "$2" >&2
  exit "$1"
}

version='' dir=${HOME:+$HOME/.local/bin} releases=${CHAT_RELEASES:-$releases}
while [ $# -gt 0 ]; do
  case $1 in
    --help)
      printf '%s\n' "$usage"
      exit 0
      ;;
    --version | --dir | --from)
      [ -n "${2:-}" ] || fail 2 "$1 needs a value (--help tells more)"
      case $1 in
        --version) version=${2#v} ;;
        --dir) dir=$2 ;;
        --from) releases=$2 ;;
      esac
      shift 2
      ;;
    *) fail 2 "there is no $1 (--help tells more)" ;;
  esac
done
[ -n "$dir" ] || fail 2 'HOME is not set: --dir has to say where to install'
[ -n "$releases" ] || fail 2 '--from has to name the page of the releases'
case $version in
  *[!0-9A-Za-z.+-]*) fail 2 "\"$version\" is no version, such as 0.1.0" ;;
esac

case $(uname -s) in
  Linux) system=linux ;;
  Darwin) system=macos ;;
  *) fail 1 "there are no executables for $(uname -s); on Windows take install.ps1" ;;
esac
case $(uname -m) in
  x86_64 | amd64) processor=x86_64 ;;
  aarch64 | arm64) processor=aarch64 ;;
  *) fail 1 "there are no executables for the processor $(uname -m)" ;;
esac
target=$system-$processor

if command -v curl >/dev/null; then
  # fetch URL FILE
  fetch() { curl --fail --silent --show-error --location --output "$2" "$1"; }
elif command -v wget >/dev/null; then
  fetch() { wget -q -O "$2" "$1"; }
else
  fail 1 'it needs curl or wget'
fi
if command -v sha256sum >/dev/null; then
  sha256() { sha256sum "$1"; }
elif command -v shasum >/dev/null; then
  sha256() { shasum -a 256 "$1"; }
else
  fail 1 'it needs sha256sum or shasum'
fi

# What is downloaded lies beside where it goes, so that it gets there whole or not at all.
mkdir -p "$dir" 2>/dev/null || fail 1 "$dir can't be made: --dir names another folder"
work=$(mktemp -d "$dir/.chat-install-XXXXXX" 2>/dev/null) ||
  fail 1 "$dir can't be written: --dir names another folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$version" ]; then from=$releases/download/v$version; else from=$releases/latest/download; fi
fetch "$from/SHA256SUMS" "$work/SHA256SUMS" || fail 1 "$from/SHA256SUMS can't be downloaded"
line=$(grep -E "^[0-9a-f]{64}  chat-[0-9A-Za-z.+-]+-$target\\.tar\\.gz\$" "$work/SHA256SUMS") ||
  fail 1 "there is no release for $target at $from"
[ "$(printf '%s\n' "$line" | wc -l)" -eq 1 ] || fail 1 "$from/SHA256SUMS has more than one version"
sum=${line%% *}
archive=${line##* }
stem=${archive%.tar.gz}

printf 'Downloading %s\n' "$from/$archive"
fetch "$from/$archive" "$work/$archive" || fail 1 "$from/$archive can't be downloaded whole"
found=$(sha256 "$work/$archive")
found=${found%% *}
[ "$found" = "$sum" ] || fail 1 "$archive is not what it should be, so nothing was installed:
  its SHA-256 is $found,
  it should be   $sum"
tar -xzf "$work/$archive" -C "$work"

suffix=${stem#chat}
for program in chatserver chatclient; do
  mv "$work/$stem/$program$suffix" "$work/$program"
  says=$("$work/$program" --version) || fail 1 "$program does not run on this system"
  printf '%s\n' "$says" >>"$work/versions"
done
for program in chatserver chatclient; do
  [ ! -d "$dir/$program" ] || fail 1 "$dir/$program is a folder: --dir names another one"
done
for program in chatserver chatclient; do
  done='Installed'
  [ ! -e "$dir/$program" ] || done='Replaced'
  mv -f "$work/$program" "$dir/$program"
  printf '%s %s: %s\n' "$done" "$dir/$program" "$(grep "^$program " "$work/versions")"
done
# Shells and man look into the share beside a bin, so elsewhere it would be of no use.
share=''
case $dir in
  */bin | */bin/) [ ! -d "$work/$stem/share" ] || share=$(dirname "$dir")/share ;;
esac
if [ -n "$share" ]; then
  if mkdir -p "$share" 2>/dev/null && cp -R "$work/$stem/share/." "$share/" 2>/dev/null; then
    printf 'Installed completions and man pages in %s\n' "$share"
    case ${SHELL:-}:$share in
      */zsh:/usr/local/share) ;;
      */zsh:*)
        printf 'To have zsh complete them, put this into your .zshrc, before compinit:\n  %s\n' \
          "fpath=(\"$share/zsh/site-functions\" \$fpath)"
        ;;
    esac
  else
    printf 'install.sh: %s\n' "$share can't be written: no completions, no man pages" >&2
  fi
fi
case :$PATH: in
  *:"$dir":*) ;;
  *) printf 'To call them by name, put this into your profile:\n  %s\n' "export PATH=\"$dir:\$PATH\"" ;;
esac
