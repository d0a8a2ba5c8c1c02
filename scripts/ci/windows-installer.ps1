<#
.SYNOPSIS
Checks the client installer with PSScriptAnalyzer, then installs and uninstalls a CA with it on this Windows.

.DESCRIPTION
For a machine that is thrown away: it changes the trust of the whole system. Runs in the PowerShell that calls it.
#>
param([Parameter(Mandatory)] [string] $AnalyzerVersion)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$shell = (Get-Process -Id $PID).Path
$folder = Join-Path $env:RUNNER_TEMP "installer-$PID"
$installer = Join-Path $folder 'install-client.ps1'
$null = New-Item -ItemType Directory -Path $folder
$site = Join-Path (Split-Path (Split-Path $PSScriptRoot)) 'stacks\platform\components\start\site'
$text = Get-Content -Raw -LiteralPath (Join-Path $site 'install-client.ps1')
$text = $text -replace '@ZONE@', 'llm.internal' -replace '@HOSTS@', 'chat start'
Set-Content -LiteralPath $installer -Value $text -Encoding Ascii

Install-Module -Name PSScriptAnalyzer -RequiredVersion $AnalyzerVersion -Scope CurrentUser -Force
$findings = @(Invoke-ScriptAnalyzer -Path $installer -Severity @('Error', 'Warning'))
$findings | ForEach-Object { Write-Output "line $($_.Line): $($_.RuleName): $($_.Message)" }
if ($findings) { throw "PSScriptAnalyzer $AnalyzerVersion has findings." }

$made = New-SelfSignedCertificate -Subject 'CN=internal CA of a test' -CertStoreLocation Cert:\LocalMachine\My `
    -KeyUsage @('CertSign', 'CRLSign') -TextExtension '2.5.29.19={critical}{text}ca=1'
$ca = Join-Path $folder 'ca.crt'
$body = [Convert]::ToBase64String($made.RawData, 'InsertLineBreaks')
"-----BEGIN CERTIFICATE-----`n$body`n-----END CERTIFICATE-----" | Set-Content -LiteralPath $ca -Encoding Ascii
$digest = [Security.Cryptography.SHA256]::Create().ComputeHash($made.RawData)
$fingerprint = [BitConverter]::ToString($digest) -replace '-', ':'

function Assert-State([bool] $Trusted, [int] $Expected, [string] $After) {
    $exit = $LASTEXITCODE
    if ($exit -ne $Expected) { throw "After ${After}: exit code $exit, not $Expected." }
    if ((Test-Path "Cert:\LocalMachine\Root\$($made.Thumbprint)") -ne $Trusted) {
        throw "After ${After}: the CA is trusted: $(-not $Trusted)."
    }
    if ([bool] [Environment]::GetEnvironmentVariable('NODE_EXTRA_CA_CERTS', 'Machine') -ne $Trusted) {
        throw "After ${After}: NODE_EXTRA_CA_CERTS is set: $(-not $Trusted)."
    }
    Write-Output "After ${After}: as it should be."
}

& $shell -NoProfile -ExecutionPolicy Bypass -File $installer -Ca $ca -Fingerprint ('00' * 32)
Assert-State $false 1 'another fingerprint'
# 4: trusted, but no service of this made-up zone answers.
& $shell -NoProfile -ExecutionPolicy Bypass -File $installer -Ca $ca -Fingerprint $fingerprint
Assert-State $true 4 'an installation'
& $shell -NoProfile -ExecutionPolicy Bypass -File $installer -Ca $ca -Fingerprint $fingerprint
Assert-State $true 4 'a second one'
& $shell -NoProfile -ExecutionPolicy Bypass -File $installer -Uninstall
Assert-State $false 0 'an uninstallation'
exit 0
