"""The package milestonexprotectwspython, unmodified: every call of it that reads, and what comes back.

    pyw.py URL CA USER PASSWORD

The calls of XPWRecorderCommandService, which the package offers to Windows users only, go to a recording server (port 7563)
that no gatekeeper is in front of: RECORDERS in the environment says where those of each instance are.
"""

import sys
import warnings

from milestonexprotectwspython.xpwrecordercommandservice import XPWRecorderCommandService
from milestonexprotectwspython.xpwservercommandservice import XPWServerCommandService
from milestonexprotectwspython.xpwserviceregistrationservice import XPWServiceRegistrationService
from milestonexprotectwspython.xpwwebserviceexception import XPWWebServiceException

import pyw_recorder
import rounds

url, _, user, password = sys.argv[1:]
warnings.filterwarnings("ignore", message="Unverified HTTPS request")

CAMERAS = 50
# Cameras that are switched off, and how many of all the role Guards sees.
DISABLED = 2
GUARDED = 25
UNKNOWN = "12345678-1234-1234-1234-123456789012"
INSTANCE = "87654321-1234-1234-1234-123456789012"
SERVICES = {"API Gateway", "Management Server", "Event Server", "Log Server", "Incident Manager"}


# The fault of a token that is not known (any more), among others.
NO_RIGHT = "VMO61008"


def made(kind):
    service = kind()
    service.ManagementServerUrlPrefix = url
    service.ServerApiUrlPrefix = url
    service.InstanceId = INSTANCE
    # The package takes no certificate authority and does not read REQUESTS_CA_BUNDLE: this is all that it offers.
    service.IsSslVerifyEnabled = False
    return service


def logged_in(service, token=""):
    windows = "\\" in user
    log_in = service.LoginWindowsUser if windows else service.LoginBasicUser
    return log_in(user, password, token)


def refused(call, status):
    try:
        call()
    except XPWWebServiceException as error:
        assert error.HttpCode == status, error.HttpCode
        return error
    raise AssertionError(f"not refused with {status}")


def devices(configuration):
    return [camera for recorder in configuration.Recorders for camera in recorder.Cameras]


def calls(service):
    """Each call of ServerCommandService, and GetServices."""

    def renewal():
        first = logged_in(service)
        rounds.expect(first.Token.startswith("TOKEN#") and first.Token.endswith("//ServerConnector#"), first.Token)
        rounds.expect(first.TimeToLiveSeconds == 4 * 3600, first.TimeToLiveSeconds)
        rounds.expect(logged_in(service, first.Token).Token != first.Token, "the same token again")

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
        registration = made(XPWServiceRegistrationService)
        logged_in(registration)
        found = registration.GetServices()
        assert SERVICES <= {entry.Name for entry in found}, found
        assert all(entry.Uri and entry.Uri[0].startswith("http") and entry.Enabled for entry in found)
        assert all(len(entry.Endpoints) for entry in found if entry.Name in SERVICES)

    return {
        "GetConfiguration": configuration,
        "GetConfigurationRecorders": recorders,
        "GetConfigurationHardware": hardware,
        "QueryRecorderInfo": recorder,
        "GetDevicesDisabled": disabled,
        "GetProductInfo": product,
        "GetServices": services,
        # After the others: it logs in by itself.
        "Login and renewal": renewal,
        "a guard's configuration": guard,
        "wrong passwords": wrong_password,
    }


def guard():
    service = made(XPWServerCommandService)
    service.LoginBasicUser("user2", "user2-password")
    cameras = devices(service.GetConfiguration())
    assert len(cameras) == GUARDED - 1, len(cameras)
    assert all(camera.CameraSecurity.Live and not camera.CameraSecurity.StartRecording for camera in cameras)


def wrong_password():
    refused(lambda: made(XPWServerCommandService).LoginBasicUser("user3", "wrong"), 401)
    error = refused(lambda: made(XPWServerCommandService).LoginWindowsUser("VMS\\win1", "wrong"), 401)
    assert error.ErrorText.startswith("You do not have permission"), error.ErrorText


def again(call):
    def run():
        try:
            return call()
        except XPWWebServiceException as error:
            if error.ErrorTextId == NO_RIGHT:
                raise rounds.SignInAgain(str(error)) from error
            raise

    return run


def recorder():
    service = made(XPWRecorderCommandService)
    logged_in(service)
    return service


server = made(XPWServerCommandService)
every = calls(server)
if "\\" in user:
    every |= pyw_recorder.calls(recorder, server)
rounds.play(lambda: logged_in(server), [(name, again(call)) for name, call in every.items()])
