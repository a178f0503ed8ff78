"""The package milestonexprotectwspython, unmodified: every call of it that reads, and what comes back.

    pyw.py URL CA    logs in as a basic user and runs each call, then prints {call: "ok" or what went wrong} as one
                     line of JSON; exits with 1 if anything went wrong. CA is a file, or "" for plain http.

The calls of XPWRecorderCommandService go to a recording server (port 7563), which no gatekeeper is in front of.
"""

import json
import os
import sys

if len(sys.argv) == 3 and sys.argv[2]:
    # The package has no setting for a CA; requests takes it from here.
    os.environ["REQUESTS_CA_BUNDLE"] = sys.argv[2]

from milestonexprotectwspython.xpwservercommandservice import XPWServerCommandService
from milestonexprotectwspython.xpwserviceregistrationservice import XPWServiceRegistrationService
from milestonexprotectwspython.xpwwebserviceexception import XPWWebServiceException

CAMERAS = 50
# Cameras that are switched off, and how many of all the role Guards sees.
DISABLED = 2
GUARDED = 25
UNKNOWN = "12345678-1234-1234-1234-123456789012"
INSTANCE = "87654321-1234-1234-1234-123456789012"
SERVICES = {"API Gateway", "Management Server", "Event Server", "Log Server", "Incident Manager"}


class Run:
    def __init__(self, url):
        self.url = url
        self.report = {}

    def service(self, kind):
        service = kind()
        service.ManagementServerUrlPrefix = self.url
        service.ServerApiUrlPrefix = self.url
        service.InstanceId = INSTANCE
        return service

    def call(self, name, check):
        """Runs one check; the others run whatever becomes of it."""
        try:
            check()
            self.report[name] = "ok"
        except Exception as error:
            self.report[name] = f"{type(error).__name__}: {str(error).strip()[:300]}"


def refused(call, status):
    try:
        call()
    except XPWWebServiceException as error:
        assert error.HttpCode == status, error.HttpCode
        return error
    raise AssertionError(f"not refused with {status}")


def devices(configuration):
    return [camera for recorder in configuration.Recorders for camera in recorder.Cameras]


def logged_in(run, log_in):
    """Each call of ServerCommandService for one user; `log_in(service, token)` logs in or renews."""
    service = run.service(XPWServerCommandService)

    def login():
        login = log_in(service, "")
        assert login.Token.startswith("TOKEN#") and login.Token.endswith("//ServerConnector#"), login.Token
        assert login.TimeToLiveSeconds == 4 * 3600, login.TimeToLiveSeconds
        renewed = log_in(service, login.Token)
        assert renewed.Token != login.Token

    def configuration():
        found = service.GetConfiguration()
        assert found.ServerName.startswith("VMS-"), found.ServerName
        cameras = devices(found)
        assert len(cameras) == CAMERAS - DISABLED, len(cameras)
        assert len({camera.DeviceId for camera in cameras}) == len(cameras)
        assert all(camera.Name and camera.HardwareId and camera.RecorderId for camera in cameras)
        assert all(camera.CameraSecurity.Live for camera in cameras)
        hardware = {box.HardwareId: box for recorder in found.Recorders for box in recorder.Hardware}
        assert all(camera.DeviceId in hardware[camera.HardwareId].DeviceIds for camera in cameras)
        assert any(len(recorder.Microphones) for recorder in found.Recorders)
        everything = [group for group in found.CameraGroups if group.Name == "All cameras"]
        assert len(everything) == 1 and len(everything[0].Cameras) == len(cameras), everything
        assert any(len(group.CameraGroups) for group in found.CameraGroups)
        assert "Gate opened" in {event.Name for event in found.EventTypes}
        assert "Motion Started" in {event.Name for event in found.SystemEventTypes}
        assert len(found.DeviceMappings) and len(found.EventTypeGroups)

    def recorders():
        known = [recorder.RecorderId for recorder in service.GetConfiguration().Recorders]
        assert known
        found = service.GetConfigurationRecorders(known + [UNKNOWN])
        assert [recorder.RecorderId for recorder in found] == known
        assert sum(len(recorder.Cameras) for recorder in found) == CAMERAS - DISABLED
        assert len(service.GetConfigurationRecorders([UNKNOWN])) == 0

    def hardware():
        known = [box.HardwareId for recorder in service.GetConfiguration().Recorders for box in recorder.Hardware]
        found = service.GetConfigurationHardware([known[0], UNKNOWN])
        assert [box.HardwareId for box in found] == known[:1]
        assert found[0].Uri.startswith("http://") and len(found[0].DeviceIds) > 0

    def recorder():
        known = service.GetConfiguration().Recorders[0]
        found = service.QueryRecorderInfo(known.RecorderId)
        assert (found.Name, found.WebServerUri) == (known.Name, known.WebServerUri)
        assert len(found.Cameras) == 0
        error = refused(lambda: service.QueryRecorderInfo(UNKNOWN), 500)
        assert (error.ErrorTextId, error.PropertyName) == ("VMO61008", "51000"), error

    def disabled():
        found = service.GetDevicesDisabled()
        assert [device.DeviceType for device in found] == ["Camera"] * DISABLED, found
        assert all(device.DeviceName and device.HardwareId and device.RecorderId for device in found)

    def product():
        found = service.GetProductInfo()
        assert found.ProductName.startswith("XProtect ") and found.MajorVersion, found

    def services():
        registration = run.service(XPWServiceRegistrationService)
        log_in(registration, "")
        found = registration.GetServices()
        assert SERVICES <= {entry.Name for entry in found}, found
        assert all(entry.Uri and entry.Uri[0].startswith("http") and entry.Enabled for entry in found)
        assert all(len(entry.Endpoints) for entry in found if entry.Name in SERVICES)

    return {
        "Login": login,
        "GetConfiguration": configuration,
        "GetConfigurationRecorders": recorders,
        "GetConfigurationHardware": hardware,
        "QueryRecorderInfo": recorder,
        "GetDevicesDisabled": disabled,
        "GetProductInfo": product,
        "GetServices": services,
    }


def guard(run):
    service = run.service(XPWServerCommandService)
    service.LoginBasicUser("user2", "user2-password")
    cameras = devices(service.GetConfiguration())
    assert len(cameras) == GUARDED - 1, len(cameras)
    assert all(camera.CameraSecurity.Live and not camera.CameraSecurity.StartRecording for camera in cameras)


def wrong_password(run):
    refused(lambda: run.service(XPWServerCommandService).LoginBasicUser("user3", "wrong"), 401)
    error = refused(lambda: run.service(XPWServerCommandService).LoginWindowsUser("VMS\\win1", "wrong"), 401)
    assert error.ErrorText.startswith("You do not have permission"), error.ErrorText


def main(url):
    run = Run(url)
    basic = logged_in(run, lambda service, token: service.LoginBasicUser("admin", "admin-password", token))
    windows = logged_in(run, lambda service, token: service.LoginWindowsUser("VMS\\win1", "win1-password", token))
    for name, check in basic.items():
        run.call(f"basic {name}", check)
    for name, check in windows.items():
        run.call(f"windows {name}", check)
    run.call("rights of a guard", lambda: guard(run))
    run.call("wrong passwords", lambda: wrong_password(run))
    print(json.dumps(run.report), flush=True)
    return 0 if set(run.report.values()) == {"ok"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/")))
