<#
.SYNOPSIS
Lets this computer trust the platform's internal CA, then checks that names resolve and services answer.

.DESCRIPTION
For Windows PowerShell 5.1 and PowerShell 7, as administrator. Changes nothing before the CA's fingerprint is the one that
you were given. -Uninstall undoes what it did and nothing else; -WhatIf says what would be done.

.EXAMPLE
.\install-client.ps1 -Fingerprint 3A:5F:...

.EXAMPLE
.\install-client.ps1 -Uninstall
#>
[CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Install')]
param(
    # SHA-256 of the CA, as an operator gave it to you: 64 hexadecimal digits, colons as you like.
    [Parameter(ParameterSetName = 'Install', Mandatory)] [string] $Fingerprint,
    # The CA's certificate; without it, it is fetched from https://start.ZONE/ca.crt.
    [Parameter(ParameterSetName = 'Install')] [string] $Ca,
    # Only whether names resolve, certificates are trusted and services answer.
    [Parameter(ParameterSetName = 'Check', Mandatory)] [switch] $Check,
    [Parameter(ParameterSetName = 'Uninstall', Mandatory)] [switch] $Uninstall,
    [string] $Zone = '@ZONE@'
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$Services = '@HOSTS@' -split ' '
$Name = "llm-platform-$($Zone -replace '\.', '-')"
$State = Join-Path $env:ProgramData $Name
$Kept = Join-Path $State 'ca.crt'
$Bundle = Join-Path $State 'bundle.pem'
$Record = Join-Path $State 'done.json'
$FirefoxKey = 'HKLM:\SOFTWARE\Policies\Mozilla\Firefox\Certificates'
$Variables = @{ NODE_EXTRA_CA_CERTS = $Kept; SSL_CERT_FILE = $Bundle; REQUESTS_CA_BUNDLE = $Bundle }

function Get-Authority {
    # Nobody can vouch for this connection yet: the fingerprint does for what comes over it.
    if ($Ca) { return Get-Content -Raw -LiteralPath $Ca }
    $curl = Get-Command curl.exe -ErrorAction SilentlyContinue
    if (-not $curl) { throw 'This needs curl.exe (Windows 10 1803 or later), or the certificate as -Ca FILE.' }
    $text = & $curl.Source --fail --silent --show-error --insecure --proto '=https' --max-time 30 "https://start.$Zone/ca.crt"
    if ($LASTEXITCODE) {
        throw "The CA cannot be fetched from https://start.$Zone/ca.crt. Are you connected to the network or tailnet?"
    }
    return $text -join "`n"
}

function ConvertTo-Certificate([string] $Text) {
    $found = [regex]::Matches($Text, '(?s)-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----')
    if ($found.Count -ne 1) { throw 'What was given is not one certificate. Nothing was changed.' }
    $bytes = [Convert]::FromBase64String(($found[0].Groups[1].Value -replace '\s', ''))
    return New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)
}

function Get-Sha256([System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate) {
    $sha = [System.Security.Cryptography.SHA256]::Create()
    return [BitConverter]::ToString($sha.ComputeHash($Certificate.RawData)) -replace '-', ''
}

function ConvertTo-Pem([System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate) {
    $body = [Convert]::ToBase64String($Certificate.RawData, 'InsertLineBreaks')
    return "-----BEGIN CERTIFICATE-----`n$body`n-----END CERTIFICATE-----"
}

function Get-JavaStore {
    $homes = @($env:JAVA_HOME) + @(Get-Command java.exe -All -ErrorAction SilentlyContinue |
            ForEach-Object { Split-Path (Split-Path $_.Source) })
    $homes | Where-Object { $_ } | Sort-Object -Unique | ForEach-Object {
        Join-Path $_ 'lib\security\cacerts'
        Join-Path $_ 'jre\lib\security\cacerts'
    } | Where-Object { Test-Path -LiteralPath $_ }
}

function Invoke-Keytool([string] $Store, [string[]] $Words) {
    # keytool reports on standard error, which Windows PowerShell takes for a failure where errors stop the script.
    $ErrorActionPreference = 'Continue'
    $keytool = Join-Path (Split-Path (Split-Path (Split-Path $Store))) 'bin\keytool.exe'
    $null = & $keytool $Words -keystore $Store -storepass changeit 2>&1
    return $LASTEXITCODE -eq 0
}

function Test-Service {
    $reached = $true
    foreach ($service in $Services) {
        $name = "$service.$Zone"
        if (-not (Resolve-DnsName -Name $name -ErrorAction SilentlyContinue)) {
            Write-Output "${name}: the name does not resolve. Are you connected, and does your resolver ask for ${Zone}?"
            $reached = $false
            continue
        }
        try {
            # To send on to a login is an answer, which PowerShell calls an error that is not fatal.
            $null = Invoke-WebRequest -UseBasicParsing -Uri "https://$name/" -TimeoutSec 20 -MaximumRedirection 0 `
                -ErrorAction SilentlyContinue
            Write-Output "${name}: resolves, is trusted, answers."
        } catch {
            # A status of any kind is an answer.
            if ($_.Exception.PSObject.Properties['Response'] -and $_.Exception.Response) {
                Write-Output "${name}: resolves, is trusted, answers."
            } else {
                Write-Output "${name}: $($_.Exception.Message)"
                $reached = $false
            }
        }
    }
    if (-not $reached) { $script:Failed = 4 }
}

function Install-Authority {
    $certificate = ConvertTo-Certificate (Get-Authority)
    $expected = ($Fingerprint -replace '[: ]', '').ToUpperInvariant()
    if ($expected -notmatch '^[0-9A-F]{64}$') { throw '-Fingerprint has 64 hexadecimal digits; ask an operator for it.' }
    $found = Get-Sha256 $certificate
    if ($found -ne $expected) {
        throw "The CA has the fingerprint $found, not the one that you gave. Nothing was changed; ask an operator."
    }
    Write-Output 'The CA is the one of the fingerprint.'
    if (-not $PSCmdlet.ShouldProcess($env:COMPUTERNAME, "Trust the CA of $Zone, for the system, Firefox, Node, Python, Java")) { return }
    if (Test-Path -LiteralPath $Record) { Uninstall-Authority }
    $done = @{ thumbprint = $certificate.Thumbprint; variables = @(); firefox = $false; java = @() }
    $null = New-Item -ItemType Directory -Force -Path $State
    ConvertTo-Pem $certificate | Set-Content -LiteralPath $Kept -Encoding Ascii
    $null = Import-Certificate -FilePath $Kept -CertStoreLocation Cert:\LocalMachine\Root
    Get-ChildItem Cert:\LocalMachine\Root | ForEach-Object { ConvertTo-Pem $_ } | Set-Content -LiteralPath $Bundle -Encoding Ascii
    foreach ($variable in $Variables.Keys) {
        if (-not [Environment]::GetEnvironmentVariable($variable, 'Machine')) {
            [Environment]::SetEnvironmentVariable($variable, $Variables[$variable], 'Machine')
            $done.variables += $variable
        }
    }
    if (-not (Test-Path -LiteralPath $FirefoxKey)) {
        $null = New-Item -Force -Path $FirefoxKey
        $null = New-ItemProperty -Path $FirefoxKey -Name ImportEnterpriseRoots -Value 1 -PropertyType DWord
        $done.firefox = $true
    }
    foreach ($store in Get-JavaStore) {
        if (Invoke-Keytool $store @('-importcert', '-noprompt', '-alias', $Name, '-file', $Kept)) { $done.java += $store }
    }
    $done | ConvertTo-Json | Set-Content -LiteralPath $Record -Encoding Ascii
    Write-Output 'Trusted. Programs see it from their next start.'
    Test-Service
}

function Uninstall-Authority {
    if (-not (Test-Path -LiteralPath $Record)) { Write-Output "Nothing is installed here for $Zone."; return }
    $done = Get-Content -Raw -LiteralPath $Record | ConvertFrom-Json
    foreach ($store in $done.java) {
        $null = Invoke-Keytool $store @('-delete', '-alias', $Name)
    }
    if ($done.firefox) { Remove-Item -LiteralPath $FirefoxKey -Recurse }
    foreach ($variable in $done.variables) { [Environment]::SetEnvironmentVariable($variable, $null, 'Machine') }
    Remove-Item -LiteralPath "Cert:\LocalMachine\Root\$($done.thumbprint)"
    Remove-Item -LiteralPath $State -Recurse
}

$Failed = 0
if ($Check) { Test-Service }
elseif (-not $Uninstall) { Install-Authority }
elseif ($PSCmdlet.ShouldProcess($env:COMPUTERNAME, "Undo the trust in the CA of $Zone")) { Uninstall-Authority }
exit $Failed
