"""Every read call of the package milestonexprotectrestpython, unmodified.

    pyr.py URL CA USER PASSWORD
"""

import inspect
import sys
import warnings

from milestonexprotectrestpython.xprfilteroperator import XPRFilterOperator
from milestonexprotectrestpython.xprlogintokenexpiredexception import XPRLoginTokenExpiredException
from milestonexprotectrestpython.xprrestservice import XPRRestService

import rounds

url, _, user, password = sys.argv[1:]
service = XPRRestService()
# The package takes no certificate authority and does not read REQUESTS_CA_BUNDLE: this is all that it offers.
service.IsSslVerifyEnabled = False
warnings.filterwarnings("ignore", message="Unverified HTTPS request")
service.ApiGatewayUrlPrefix = url

# Names that begin with Get but read what is in memory.
NO_CALLS = {"GetParentTypeId", "GetRelationParentTypeId", "GetRelationParentTypeIdHardware"}


def log_in():
    windows = "\\" in user
    login = service.LoginWindowsUser(user, password) if windows else service.LoginBasicUser(user, password)
    rounds.expect(login.Token and login.ExpireTime, "a token and when it expires")


def again(call):
    """The package has an exception of its own for an old token."""

    def run():
        try:
            return call()
        except XPRLoginTokenExpiredException as error:
            raise rounds.SignInAgain from error

    return run


def first(collection):
    rounds.expect(len(collection) > 0, "the collection is empty")
    return collection[0]


def filtered(read):
    """The same list through a filter on the name of one of its members."""
    wanted = first(read()).Name
    for operator, text in (
        (XPRFilterOperator.equals, wanted),
        (XPRFilterOperator.startsWith, wanted[:3]),
        (XPRFilterOperator.contains, wanted[1:4]),
    ):
        found = read(filterName="name", filterOperator=operator, filterValue=text)
        rounds.expect(any(item.Name == wanted for item in found), f"{wanted} is not found by {operator}")
    none = read(filterName="name", filterOperator=XPRFilterOperator.equals, filterValue="nobody has this name")
    rounds.expect(len(none) == 0, "a filter that fits nothing finds something")


def every_read_call():
    for name, method in inspect.getmembers(service, inspect.ismethod):
        if not name.startswith("Get") or name.startswith("GetDict") or name in NO_CALLS:
            continue
        parameters = inspect.signature(method).parameters
        if "cameraId" in parameters:
            yield name, lambda read=method: first(read(first(service.GetCameras()).Id))
        elif "siteId" in parameters:
            yield name, lambda read=method: read()
            yield f"{name} of a site", lambda read=method: read(first(service.GetSites()).Id)
        else:
            yield name, lambda read=method: first(read())
        if "parentId" in parameters and name != "GetChildSites":
            yield f"{name} below one", lambda read=method: [read(parentId=group.Id) for group in read()]
        # Licences have no names, and the names of child sites are no property.
        if "filterName" in parameters and "License" not in name and name != "GetChildSites":
            yield f"{name} with filters", lambda read=method: filtered(read)


rounds.play(log_in, [(name, again(call)) for name, call in every_read_call()])
