@echo off
rem Verifies the agent on a real server: docs/windows-verification.md says what it does, and where to send what it leaves.
rem
rem   verify.cmd WORK
rem
rem WORK is a new folder on an NTFS volume. Run it from an elevated prompt, in the folder of stateward.exe, on a server that is
rem registered with a test vault. It makes files below WORK, protects, backs up and restores them, and records what programs of
rem Windows say; it changes nothing else of the server. What it found is in WORK\report.

setlocal enableextensions
if "%~1"=="" echo Usage: verify.cmd WORK
if "%~1"=="" exit /b 2
if exist "%~1" echo "%~1" exists already
if exist "%~1" exit /b 2
set "work=%~f1"
set "source=%work%\source"
set "restored=%work%\restored"
set "report=%work%\report"
md "%source%" "%report%" || exit /b 1
set "findings=%report%\findings.txt"
echo Begun %date% %time% > "%findings%"
set "agent=%~dp0stateward.exe"
if not exist "%agent%" set "agent=stateward.exe"
"%agent%" --version > "%report%\version.txt" || echo FINDING: stateward.exe does not start >> "%findings%"
ver >> "%report%\version.txt"

echo 1 of 5: recording what programs of Windows say; SFC takes many minutes
"%agent%" doctor --record "%report%\record.json" --verify-system-files > "%report%\record.txt" 2>&1
if errorlevel 4 echo FINDING: nothing was recorded >> "%findings%"
if not exist "%report%\record.json" echo FINDING: there is no recording >> "%findings%"

echo 2 of 5: making files
echo plain> "%source%\plain.txt"
echo content> "%source%\stream.txt"
echo note> "%source%\stream.txt:note"
echo denied> "%source%\denied.txt"
icacls "%source%\denied.txt" /deny *S-1-5-32-546:(W) > nul || echo FINDING: icacls can't deny >> "%findings%"
echo owned> "%source%\owned.txt"
icacls "%source%\owned.txt" /setowner *S-1-5-32-544 > nul || echo FINDING: icacls can't set an owner >> "%findings%"
md "%source%\folder"
echo inner> "%source%\folder\inner.txt"
echo note> "%source%\folder:note"
md "%source%\marked"
cipher /e "%source%\marked" > nul || echo FINDING: cipher can't mark a folder >> "%findings%"
rem Server 2019 and later, where it is switched on.
md "%source%\cased"
fsutil file setCaseSensitiveInfo "%source%\cased" enable > nul 2>&1
if not errorlevel 1 (
    echo one> "%source%\cased\name.txt"
    echo two> "%source%\cased\NAME.txt"
)
echo audited> "%source%\audited.txt"
set "everyone=[Security.Principal.SecurityIdentifier]'S-1-1-0'"
set "rule=New-Object Security.AccessControl.FileSystemAuditRule(%everyone%, 'Delete', 'Success')"
powershell -NoProfile -Command "$list = Get-Acl -Audit '%source%\audited.txt'; $list.AddAuditRule((%rule%)); Set-Acl '%source%\audited.txt' $list"
if errorlevel 1 echo FINDING: an audit list can't be set >> "%findings%"
mklink "%source%\link.txt" plain.txt > nul || echo FINDING: mklink can't >> "%findings%"
mklink /j "%source%\junction" "%source%\folder" > nul || echo FINDING: mklink /j can't >> "%findings%"
mklink /h "%source%\second name.txt" "%source%\plain.txt" > nul || echo FINDING: mklink /h can't >> "%findings%"
fsutil file createnew "%source%\sparse.bin" 67108864 > nul
fsutil sparse setflag "%source%\sparse.bin" > nul || echo FINDING: fsutil can't make a file sparse >> "%findings%"
fsutil sparse setrange "%source%\sparse.bin" 0 67108864 > nul
echo compressed> "%source%\compressed.txt"
compact /c "%source%\compressed.txt" > nul
echo encrypted> "%source%\encrypted.txt"
cipher /e "%source%\encrypted.txt" > nul || echo FINDING: cipher can't encrypt >> "%findings%"
echo hidden> "%source%\hidden.txt"
attrib +h +r +s "%source%\hidden.txt"

echo 3 of 5: protecting and backing up
"%agent%" protect files "%source%" --name verify > "%report%\protect.txt" 2>&1
if errorlevel 1 echo FINDING: protect failed >> "%findings%"
"%agent%" backup now --item verify --wait > "%report%\backup.txt" 2>&1
if errorlevel 1 echo FINDING: the backup has warnings or failed >> "%findings%"

echo 4 of 5: restoring and comparing
"%agent%" restore --recovery-point latest --item verify --target "%restored%" --wait > "%report%\restore.txt" 2>&1
if errorlevel 1 echo FINDING: the restore has warnings or failed >> "%findings%"
set "drive=%source:~0,1%"
set "same=%restored%\%drive%%source:~2%"
if not exist "%same%" echo FINDING: "%same%" is not there >> "%findings%"
robocopy "%source%" "%same%" /mir /l /njh /njs /ndl /xj /copyall /dcopy:t > "%report%\robocopy.txt" 2>&1
if errorlevel 1 echo FINDING: robocopy sees differences: robocopy.txt >> "%findings%"
for %%f in (source restored) do dir /s /r /a "%work%\%%f" > "%report%\%%f-dir.txt"
for %%f in (denied.txt owned.txt folder) do (
    icacls "%source%\%%f" >> "%report%\source-access.txt"
    icacls "%same%\%%f" >> "%report%\restored-access.txt"
)
for %%f in (link.txt junction) do (
    fsutil reparsepoint query "%source%\%%f" >> "%report%\source-links.txt"
    fsutil reparsepoint query "%same%\%%f" >> "%report%\restored-links.txt"
)
fc "%report%\source-links.txt" "%report%\restored-links.txt" > "%report%\links.txt"
if errorlevel 1 echo FINDING: links differ: links.txt >> "%findings%"
set "audit=(Get-Acl -Audit $env:LOOKED_AT).GetSecurityDescriptorSddlForm('Audit')"
set "LOOKED_AT=%source%\audited.txt"
powershell -NoProfile -Command "%audit%" > "%report%\source-audit.txt" 2>&1
set "LOOKED_AT=%same%\audited.txt"
powershell -NoProfile -Command "%audit%" > "%report%\restored-audit.txt" 2>&1
fc "%report%\source-audit.txt" "%report%\restored-audit.txt" > "%report%\audit.txt"
if errorlevel 1 echo FINDING: audit lists differ: audit.txt >> "%findings%"
more < "%same%\folder:note" > "%report%\folder-stream.txt" 2>&1
if errorlevel 1 echo FINDING: the folder's stream is not there >> "%findings%"
dir /b "%source%\cased" > "%report%\source-cased.txt"
dir /b "%same%\cased" > "%report%\restored-cased.txt"
fc "%report%\source-cased.txt" "%report%\restored-cased.txt" > nul || echo FINDING: names that differ by case are not all there >> "%findings%"
cipher "%same%\marked" > "%report%\marked.txt" 2>&1
fsutil hardlink list "%same%\plain.txt" > "%report%\names.txt" 2>&1
fsutil sparse queryrange "%same%\sparse.bin" > "%report%\sparse.txt" 2>&1
compact "%same%\compressed.txt" > "%report%\compressed.txt" 2>&1
cipher "%source%\encrypted.txt" > "%report%\encrypted.txt" 2>&1
cipher "%same%\encrypted.txt" >> "%report%\encrypted.txt" 2>&1
fc "%source%\encrypted.txt" "%same%\encrypted.txt" > nul || echo FINDING: the encrypted file is another one >> "%findings%"

echo 5 of 5: collecting
"%agent%" support-bundle --out "%report%\support.tar.gz" > "%report%\support.txt" 2>&1
echo Ended %date% %time% >> "%findings%"
type "%findings%"
find "FINDING" "%findings%" > nul
if errorlevel 1 exit /b 0
exit /b 1
