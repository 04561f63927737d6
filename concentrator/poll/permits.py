"""Who may command a genset: what of a device's settings and its profile stands against it, in words. Hides what counts
as a verified command."""

from __future__ import annotations

from concentrator.model.device import Device
from concentrator.model.errors import Denied, Unknown
from concentrator.model.profile import Command, DeviceProfile
from concentrator.model.words import hint


def permitted(device: Device, profile: DeviceProfile, name: str) -> Command:
    """The command of that name, which may be given. Raises Unknown, or Denied with what stands against it."""
    command = next((each for each in profile.commands if each.name == name), None)
    if command is None:
        raise Unknown(f"command {name} of {device.uid}{hint(name, [each.name for each in profile.commands])}")
    if not device.allow_commands:
        raise Denied(f"allow_commands of {device.uid} is false")
    why = unverified(profile, device.model)
    if why and not device.allow_unverified:
        raise Denied(f"{why}, and allow_unverified of {device.uid} is false")
    return command


def unverified(profile: DeviceProfile, model: str) -> str:
    """Why the commands of a profile are not verified for a model (empty where nobody said which it is), in words; empty
    where they are."""
    if not profile.settings.get("commands_verified"):
        return f"the commands of {profile.key} are not verified"
    known = profile.settings.get("verified_models")
    if not isinstance(known, list) or set(profile.models) <= set(known):
        return ""
    if model and model.casefold() in {each.casefold() for each in known}:
        return ""
    told = f"its model is {model}" if model else "it is not said which model it is"
    return f"the commands of {profile.key} are verified for {', '.join(known)} only, and {told}"
