# Installs chatserver and chatclient for the user who runs it. Needs no administrator, and changes
# nothing but the two files.
#
# usage: install.ps1 [-Version VERSION] [-Dir FOLDER] [-From URL]
#
#   -Version VERSION  this version, such as 0.1.0 (default: the latest)
#   -Dir FOLDER       where to (default: %LOCALAPPDATA%\Programs\chat)
#   -From URL         the page of the releases, or a mirror of it; also $env:CHAT_RELEASES
[CmdletBinding()]
param(
  [ValidatePattern('^v?[0-9A-Za-z.+-]*$')] [string] $Version = '',
  [string] $Dir = (Join-Path $env:LOCALAPPDATA 'Programs\chat'),
  [string] $From = ''
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# The bar makes downloads many times as slow in Windows PowerShell.
$ProgressPreference = 'SilentlyContinue'
# Windows PowerShell does not offer TLS 1.2 by itself everywhere.
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor
  [Net.SecurityProtocolType]::Tls12

# The page of the releases: a release fills it in, CHAT_RELEASES or -From overrides it.
$releases = ''

function Stop-Installing([string] $Problem, [int] $Code = 1) {
  [Console]::Error.WriteLine("install.ps1: $Problem")
  exit $Code
}

function Get-Download([string] $Url, [string] $File) {
  try {
    Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $File
  } catch {
    Stop-Installing "$Url can't be downloaded whole: $($_.Exception.Message)"
  }
}

if ($From) { $releases = $From } elseif ($env:CHAT_RELEASES) { $releases = $env:CHAT_RELEASES }
if (-not $releases) { Stop-Installing '-From has to name the page of the releases' 2 }
$Version = $Version -replace '^v', ''

# What the system is, also for a PowerShell that runs as if on another processor.
$processor = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
$target = switch ($processor) {
  'AMD64' { 'windows-x86_64' }
  'ARM64' { 'windows-aarch64' }
  default { Stop-Installing "there are no executables for the processor $processor" }
}

# What is downloaded lies beside where it goes, so that it gets there whole or not at all.
$work = Join-Path $Dir ('.chat-install-' + [Guid]::NewGuid().ToString('N'))
try {
  New-Item -ItemType Directory -Force -Path $work | Out-Null
} catch {
  Stop-Installing "$Dir can't be written: -Dir names another folder"
}
try {
  $base = if ($Version) { "$releases/download/v$Version" } else { "$releases/latest/download" }
  $sums = Join-Path $work 'SHA256SUMS'
  Get-Download "$base/SHA256SUMS" $sums
  $form = "^([0-9a-f]{64})  (chat-[0-9A-Za-z.+-]+-$target)\.zip$"
  $found = @(Get-Content $sums | Select-String -CaseSensitive -Pattern $form)
  if ($found.Count -ne 1) { Stop-Installing "there is no release for $target at $base" }
  $sum = $found[0].Matches[0].Groups[1].Value
  $stem = $found[0].Matches[0].Groups[2].Value

  Write-Output "Downloading $base/$stem.zip"
  $archive = Join-Path $work "$stem.zip"
  Get-Download "$base/$stem.zip" $archive
  $hash = (Get-FileHash -Algorithm SHA256 -Path $archive).Hash.ToLowerInvariant()
  if ($hash -ne $sum) {
    Stop-Installing "$stem.zip is not what it should be, so nothing was installed: its SHA-256 is $hash, it should be $sum"
  }
  Expand-Archive -Path $archive -DestinationPath $work

  $suffix = $stem.Substring('chat'.Length)
  $versions = @{}
  foreach ($program in 'chatserver', 'chatclient') {
    $executable = Join-Path $work "$stem\$program$suffix.exe"
    $versions[$program] = & $executable --version
    if ($LASTEXITCODE -ne 0) { Stop-Installing "$program does not run on this system" }
  }
  foreach ($program in 'chatserver', 'chatclient') {
    $place = Join-Path $Dir "$program.exe"
    $done = if (Test-Path $place) { 'Replaced' } else { 'Installed' }
    try {
      Move-Item -Force -Path (Join-Path $work "$stem\$program$suffix.exe") -Destination $place
    } catch {
      Stop-Installing "$place can't be replaced: does it run?"
    }
    Write-Output "$done ${place}: $($versions[$program])"
  }
  if (($env:Path -split ';') -notcontains $Dir) {
    Write-Output 'To call them by name, add the folder to your path, and open a new window:'
    Write-Output "  [Environment]::SetEnvironmentVariable('Path', [Environment]::GetEnvironmentVariable('Path', 'User') + ';$Dir', 'User')"
  }
} finally {
  Remove-Item -Recurse -Force -Path $work
}
