from django.db import models


class Entry(models.Model):
    """What a visitor wrote."""

    text = models.CharField(max_length=1000)
    written = models.DateTimeField(auto_now_add=True)
