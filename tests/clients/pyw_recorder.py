"""The calls of the package milestonexprotectwspython to recording servers, for `pyw.py`.

No gatekeeper is in front of recording servers, so a client goes to those of the system that it was given to. RECORDERS
says where they are: `VMS-A=https://127.0.0.1:1234,VMS-B=...`, by the ServerName of the configuration.

The package makes these calls for Windows users only.
"""

import os
from datetime import datetime, timedelta

import rounds

UNKNOWN = "12345678-1234-1234-1234-123456789012"
RECORDING = "f9c62604-d0c5-4050-ae25-72de51639b14"
TYPES = {
    RECORDING: "RecordingSequence",
    "0601d294-b7e5-4d93-9614-9658561ad5e4": "RecordingWithTriggerSequence",
    "53cb5e33-2183-44bd-9491-8364d2457480": "MotionSequence",
}
MICROSECONDS_OF_AN_HOUR = 3600 * 1_000_000


def calls(recorder_service_factory, server_service):
    """Each call of XPWRecorderCommandService. `recorder_service_factory` makes one and logs it in.

    By itself: the package refuses the login of another service, although it has an argument for that.
    """
    addresses = dict(entry.split("=", 1) for entry in os.environ["RECORDERS"].split(","))

    def recorder():
        """The service of the system that answers now, and one of its cameras."""
        configuration = server_service.GetConfiguration()
        service = recorder_service_factory()
        service.RecordingServerUrlPrefix = addresses[configuration.ServerName]
        cameras = [camera for each in configuration.Recorders for camera in each.Cameras]
        return service, cameras[0].DeviceId

    def types():
        service, camera = recorder()
        found = {each.Id: each.Name for each in service.SequencesGetTypes(camera)}
        rounds.expect(found == TYPES, found)

    def sequences():
        service, camera = recorder()
        end = now()
        begin = end - timedelta(hours=2)
        found = ordered(service.SequencesGet(camera, RECORDING, begin, end, 100))
        rounds.expect(len(found) >= 12, len(found))
        rounds.expect(all(each.TimeEnd >= begin and each.TimeBegin <= end for each in found), found)
        few = service.SequencesGet(camera, RECORDING, begin, end, 3)
        rounds.expect(begins(few) == begins(found)[:3], few)
        none = service.SequencesGet(camera, RECORDING, end + timedelta(hours=1), end + timedelta(hours=2), 3)
        rounds.expect(len(none) == 0, none)

    def around():
        service, camera = recorder()
        center = now() - timedelta(days=1)
        found = ordered(service.SequencesGetAround(camera, RECORDING, center, 2, 3))
        rounds.expect(len(found) == 5, len(found))
        rounds.expect([each.TimeEnd < center for each in found] == [True, True, False, False, False], found)

    def around_with_span():
        service, camera = recorder()
        center = now() - timedelta(days=1)
        hour = MICROSECONDS_OF_AN_HOUR
        found = ordered(service.SequencesGetAroundWithSpan(camera, RECORDING, center, hour, 100, hour, 100))
        rounds.expect(12 <= len(found) <= 14, len(found))

    def picture(call, fits):
        def run():
            service, camera = recorder()
            # Between two recordings: each call finds another picture, or one of two.
            pair = service.SequencesGetAround(camera, RECORDING, now() - timedelta(days=1), 1, 2)
            end, begin = pair[0].TimeEnd, pair[1].TimeBegin
            time = end + (begin - end) / 4
            found = getattr(service, call)(camera, time, "a title")
            rounds.expect(found.Title == "a title" and is_jpeg(found.Data), found)
            rounds.expect(found.Time.replace(tzinfo=None) == fits(end, begin), found.Time)
            # While something is recorded they all find the picture of that second.
            again = getattr(service, call)(camera, begin, None)
            rounds.expect(again.Time.replace(tzinfo=None) == begin, again.Time)

        return run

    def no_picture():
        service, camera = recorder()
        found = service.JPEGGetAtOrAfter(camera, now() + timedelta(days=1))
        rounds.expect(found.Time.year == 1 and found.Data is None, found)

    def live():
        service, camera = recorder()
        found = service.JPEGGetLive(camera, 320, 240)
        rounds.expect(is_jpeg(found.Data), found)
        rounds.expect(abs(found.Time.replace(tzinfo=None) - now()) < timedelta(minutes=1), found.Time)

    def by_hand():
        service, camera = recorder()

        def state():
            found = {each.DeviceId: each.IsManualRecording for each in service.IsManualRecording([camera, UNKNOWN])}
            rounds.expect(found[UNKNOWN] is False, found)
            return found[camera]

        service.StopManualRecording([camera])
        rounds.expect(state() is False, "records already")
        # Twice: the second time it runs already, which is no error.
        for _ in range(2):
            rounds.expect(done(service.StartManualRecording([camera])) == {camera: "Success"}, "not started")
            rounds.expect(state() is True, "does not record")
        rounds.expect(done(service.StopManualRecording([camera, UNKNOWN]))[camera] == "Success", "not stopped")
        rounds.expect(state() is False, "still records")

    return {
        "SequencesGetTypes": types,
        "SequencesGet": sequences,
        "SequencesGetAround": around,
        "SequencesGetAroundWithSpan": around_with_span,
        "JPEGGetAt": picture("JPEGGetAt", lambda end, _: end),
        "JPEGGetAtOrBefore": picture("JPEGGetAtOrBefore", lambda end, _: end),
        "JPEGGetAtOrAfter": picture("JPEGGetAtOrAfter", lambda _, begin: begin),
        "JPEGGetAtOrAfter in the future": no_picture,
        "JPEGGetLive": live,
        "Start, Stop and IsManualRecording": by_hand,
    }


def now():
    """Recorders count in whole seconds here."""
    return datetime.utcnow().replace(microsecond=0)


def begins(found):
    return [each.TimeBegin for each in found]


def ordered(found):
    rounds.expect(begins(found) == sorted(begins(found)), begins(found))
    rounds.expect(all(each.TimeBegin <= each.TimeTrigged <= each.TimeEnd for each in found), found)
    return found


def done(results):
    for result in results:
        rounds.expect((result.ResultCode == "0") == (result.DeviceId != UNKNOWN), result)
    return {result.DeviceId: result.Message for result in results}


def is_jpeg(data):
    return data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")
