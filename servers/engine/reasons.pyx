from fastcodec.status import Status

NAMES = {int(m): m.name.lower() for m in (*Status, *Reason)}
NUMBERS = {name: number for number, name in NAMES.items()}
