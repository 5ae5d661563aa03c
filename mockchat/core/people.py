"""People: any number of plausible users, made by Faker and reproducible from the random seed."""

import re
from collections.abc import Iterator

from mockchat.core.entities import User
from mockchat.core.state import App

MAX_PEOPLE = 100_000  # at once


def add_fake_users(app: App, count: int) -> Iterator[User]:
    """Add `count` users to an app, one at each step, and yield them.

    Their uids are of their names and a number that nobody in the app has.
    """
    from faker import Faker  # noqa: PLC0415  # 200 ms that a start must not pay

    faker = Faker("en_US", use_weighting=False)
    faker.seed_instance(app.ids.whole())
    for _ in range(count):
        name = f"{faker.first_name()} {faker.last_name()}"
        number = app.serial + 1
        uid = f"{re.sub('[^a-z]+', '-', name.lower())}-{number}"
        while app.find_user(uid):
            number += 1
            uid = f"{uid.rpartition('-')[0]}-{number}"
        metadata = {"email": f"{uid}@example.com", "company": faker.last_name()}
        yield app.add_user(User(uid, name, app.now, metadata=metadata))
