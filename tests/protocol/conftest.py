from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is not a defect
settings.load_profile("untimed")
